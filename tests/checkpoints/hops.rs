//! Answers of language models as a whole and in part, given and written, and hops back to the prompt.

use relprop_explain::{Chosen, Explanation, Scalar, Score, Target};
use relprop_testing::{Asked, difference, explainer, relevance};
use relprop_transformer::TokenizedText;
use rstest::rstest;

use super::language::{every_logit, load};

const PROMPT: &str = "the keys";
const ANSWER: &str = " are on the film now";

fn one(explainer: &relprop_explain::Explainer, text: &TokenizedText) -> Explanation {
    let texts = std::slice::from_ref(text);
    explainer.explain_batch(texts).unwrap().remove(0)
}

fn asking(explainer: &relprop_explain::Explainer, scalar: &str) -> relprop_explain::Explainer {
    let scalar: Scalar = scalar.parse().unwrap();
    explainer
        .clone()
        .asked(|plan| plan.target = scalar)
        .unwrap()
}

/// A part of an answer, by what it says or by its tokens, is the sum of its tokens, and nothing flows to what
/// comes after.
#[rstest]
fn a_part_of_an_answer_is_the_sum_of_its_tokens(
    #[values("gpt2", "llama-3")] family: &str,
    #[values(Score::Logit, Score::LogProbability)] score: Score,
) {
    let (model, _) = load(family);
    let explainer = explainer(&model, "ah-ln").with_ledger();
    let scored = |text: &str| match score {
        Score::LogProbability => asking(&explainer, &format!("log-probability(answer()){text}")),
        _ => asking(&explainer, &format!("answer(){text}")),
    };
    let whole = scored("").tokenize_answer(PROMPT, ANSWER).unwrap();
    let by_text = scored("@\"on the film\"")
        .tokenize_answer(PROMPT, ANSWER)
        .unwrap();
    let [first, last] = [
        by_text.asked[0] + 1,
        by_text.asked[by_text.asked.len() - 1] + 1,
    ];
    let said: Vec<char> = by_text.text.chars().collect();
    let said: String = said[by_text.tokens[first].start..by_text.tokens[last].end]
        .iter()
        .collect();
    assert_eq!(said, "on the film");
    assert!(whole.asked.len() > by_text.asked.len());
    let tokens = format!("@token({first}..{})", last + 1);
    assert_eq!(
        scored(&tokens)
            .tokenize_answer(PROMPT, ANSWER)
            .unwrap()
            .asked,
        by_text.asked
    );

    let found = one(&scored("@\"on the film\""), &by_text);
    let (mut sum, mut value) = (vec![0.0; by_text.tokens.len()], 0.0);
    for token in first..=last {
        let part = scored(&format!("@token({token})"));
        let part = one(&part, &part.tokenize_answer(PROMPT, ANSWER).unwrap());
        sum.iter_mut()
            .zip(relevance(&part))
            .for_each(|(sum, r)| *sum += r);
        value += f64::from(part.target.value);
        assert!(part.ledger().unwrap().closes());
    }
    assert!(difference(&relevance(&found), &sum) < 1e-5);
    assert!((f64::from(found.target.value) - value).abs() < 1e-4 * value.abs().max(1.0));
    assert!(
        found.tokens[last..]
            .iter()
            .all(|token| token.relevance == 0.0),
        "attention is causal"
    );
    assert!(found.ledger().unwrap().closes());
    // The same words in a text, without an answer.
    let in_text = scored("@\"on the film\"");
    let text = in_text.tokenize(&format!("{PROMPT}{ANSWER}")).unwrap();
    if text
        .tokens
        .iter()
        .map(|t| t.id)
        .eq(by_text.tokens.iter().map(|t| t.id))
    {
        assert!(difference(&relevance(&one(&in_text, &text)), &sum) < 1e-5);
    }
}

/// What a model writes is explained like an answer that is given.
#[rstest]
fn an_answer_that_is_written_is_one_that_could_be_given(#[values("gpt2", "llama-3")] family: &str) {
    let (model, _) = load(family);
    let explainer = asking(&explainer(&model, "libra"), "answer()").with_ledger();
    let prompt = explainer.tokenize_prompt(PROMPT, false).unwrap();
    let text = explainer.generate(&prompt, 6, None).unwrap();
    let steps = explainer.continuation(&prompt, 6, None).unwrap();
    assert!(text.asked.len() > 1 && text.asked[0] + 1 == prompt.tokens.len());
    assert_eq!(text.asked.len(), steps.steps.len());
    let found = one(&explainer, &text);
    let sums: Vec<f64> = steps
        .tokens
        .iter()
        .map(|token| f64::from(token.relevance))
        .collect();
    assert!(difference(&relevance(&found), &sums) < 1e-5);
    let written: String = text.text.chars().skip(PROMPT.chars().count()).collect();
    // Bytes that are no character stand for themselves in a label of tokens.
    if !written.contains('\u{fffd}') {
        assert_eq!(found.target.label, written);
    }
    assert!(found.ledger().unwrap().closes());
    // Without an answer there is nothing to explain.
    assert!(
        explainer
            .tokenize(PROMPT)
            .unwrap_err()
            .to_string()
            .contains("no answer was given")
    );
}

/// Hops against loops: each token of the answer passes on what has landed on it, in the shares in which its
/// own logit above the mean is explained, from the last token to the first.
#[rstest]
fn hops_pass_on_what_earlier_text_holds(
    #[values("gpt2", "llama-3", "qwen3")] family: &str,
    #[values("ah-ln", "libra")] preset: &str,
    #[values("answer()", "log-probability(answer())", "answer()@\"the film\"")] scalar: &str,
) {
    let (model, _) = load(family);
    let explainer = asking(&explainer(&model, preset), scalar).with_ledger();
    let text = explainer.tokenize_answer(PROMPT, ANSWER).unwrap();
    let (count, begun) = (
        text.tokens.len(),
        model.tokenize(PROMPT, None, Default::default()),
    );
    let begun = begun.unwrap().tokens.len();
    let plain = one(&explainer, &text);
    let all = explainer.clone().asked(|plan| plan.hops = count).unwrap();
    let found = one(&all, &text);

    let own = |token: usize| -> (f64, f64, Vec<f64>) {
        let asked = TokenizedText {
            asked: vec![token - 1],
            ..text.clone()
        };
        let logits = every_logit(&model, &asked);
        let mean = logits.iter().sum::<f64>() / logits.len() as f64;
        let of = Chosen::Label(text.tokens[token].id as usize);
        let explainer =
            asking(&explainer, "id:0-mean()").target(Target::AboveMean { of, top: None });
        let found = one(&explainer.unwrap(), &asked);
        let variance =
            logits.iter().map(|z| (z - mean) * (z - mean)).sum::<f64>() / logits.len() as f64;
        (
            logits[text.tokens[token].id as usize] - mean,
            variance.sqrt(),
            relevance(&found),
        )
    };
    let (mut expected, mut passed_on) = (relevance(&plain), 0);
    for token in (begun..count).rev() {
        let (value, deviation, of_token) = own(token);
        if value <= deviation {
            continue;
        }
        let passed = std::mem::take(&mut expected[token]);
        passed_on += usize::from(passed != 0.0);
        for (sum, r) in expected.iter_mut().zip(&of_token) {
            *sum += passed / value * r;
        }
    }
    let error = difference(&relevance(&found), &expected);
    assert!(error < 1e-4, "{error:.1e}");

    // The account closes, hop by hop and as a whole.
    assert_eq!(found.hops.len() > 1, passed_on > 0);
    let close = |a: f64, b: f64| (a - b).abs() <= 1e-5 * a.abs().max(b.abs()).max(1.0);
    for (at, hop) in found.hops.iter().enumerate() {
        assert!(
            close(hop.target, hop.prompt + hop.answer + hop.absorbed),
            "hop {at}"
        );
        assert!(
            hop.unaccounted.abs() <= 1e-5 * hop.target.abs().max(1.0),
            "hop {at}: {}",
            hop.unaccounted
        );
        match found.hops.get(at + 1) {
            Some(next) => assert!(close(next.target, hop.answer - hop.kept), "hop {at}"),
            None => assert!(close(hop.kept, hop.answer)),
        }
    }
    let kept: f64 = found.hops.iter().map(|hop| hop.kept).sum();
    let on_prompt: f64 = found.hops.iter().map(|hop| hop.prompt).sum();
    let tokens = relevance(&found);
    assert!(close(tokens[..begun].iter().sum(), on_prompt));
    assert!(close(tokens[begun..].iter().sum(), kept));
    let ledger = found.ledger().unwrap();
    assert!(
        ledger.closes(),
        "{} of {}",
        ledger.unaccounted,
        ledger.target
    );
    assert!(close(ledger.target, plain.ledger().unwrap().target));

    // Fewer hops stop on the way; none is the plain explanation.
    let two = one(
        &explainer.clone().asked(|plan| plan.hops = 1).unwrap(),
        &text,
    );
    assert_eq!(two.hops.len(), found.hops.len().min(2));
    assert_eq!(
        two.hops[0].relevance,
        plain.tokens.iter().map(|t| t.relevance).collect::<Vec<_>>()
    );
    assert!(two.ledger().unwrap().closes());
}

/// A text among others, longer and shorter, has the hops that it has alone.
#[test]
fn hops_do_not_depend_on_the_batch() {
    let (model, _) = load("llama-3");
    let explainer = asking(&explainer(&model, "ah-ln"), "answer()");
    let explainer = explainer.asked(|plan| plan.hops = 3).unwrap();
    let texts = [(PROMPT, ANSWER), ("the end", " is near"), ("a", ANSWER)];
    let texts = texts.map(|(prompt, answer)| explainer.tokenize_answer(prompt, answer).unwrap());
    let together = explainer.explain_batch(&texts).unwrap();
    let mut passed = 0;
    for (found, text) in together.iter().zip(&texts) {
        assert_eq!(found, &one(&explainer, text));
        assert!(found.ledger().is_none());
        passed += found.hops.len() - 1;
    }
    assert!(passed > 0, "some token was expected");
}

#[test]
fn hops_need_an_answer() {
    let (model, _) = load("gpt2");
    let explainer = explainer(&model, "ah-ln");
    let error = explainer.asked(|plan| plan.hops = 1).unwrap_err();
    assert!(
        error.to_string().contains("hops go from an answer"),
        "{error}"
    );
}
