//! What is explained: a token, a contrast, in either unit.

use relprop_explain::{Explanation, Score, Target};
use relprop_testing::{Asked, difference, explainer, relevance};
use relprop_transformer::TokenizedText;
use rstest::rstest;

use super::{PRESETS, every_logit, load};

/// log p = z - log sum exp z, and its relevance is that of z minus the mean of all relevances by p.
#[rstest]
fn a_log_probability_is_explained(#[values("gpt2", "llama-3")] family: &str) {
    let (model, _) = load(family);
    let text = model.tokenize("the end is dull", None, Default::default());
    let text = text.unwrap();
    let logits = every_logit(&model, &text);
    let whole: f64 = logits.iter().map(|z| z.exp()).sum();
    for preset in PRESETS {
        let explainer = explainer(&model, preset).with_ledger();
        let explain = |target, score| -> Explanation {
            let explainer = explainer.clone().target(Target::Label(target)).unwrap();
            let explainer = explainer.score(score);
            let batch = std::slice::from_ref(&text);
            explainer.explain_batch(batch).unwrap().remove(0)
        };
        let of_logits: Vec<Vec<f64>> = (0..logits.len())
            .map(|token| relevance(&explain(token, Score::Logit)))
            .collect();
        let mut expected = of_logits[7].clone();
        for (of_logit, z) in of_logits.iter().zip(&logits) {
            for (expected, r) in expected.iter_mut().zip(of_logit) {
                *expected -= z.exp() / whole * r;
            }
        }
        let found = explain(7, Score::LogProbability);
        assert!(difference(&relevance(&found), &expected) < 1e-4, "{preset}");
        let value = logits[7] - whole.ln();
        assert!((f64::from(found.target.value) - value).abs() < 1e-4);

        let ledger = found.ledger().unwrap();
        assert!((ledger.target - value).abs() < 1e-4);
        let surprise = |z: &f64| z.exp() / whole * (whole.ln() - z);
        let entropy: f64 = logits.iter().map(surprise).sum();
        let entry = ledger.absorbed.last().unwrap();
        let named = (entry.site.as_str(), entry.kind.as_str());
        assert_eq!(named, ("log-probability", "entropy"));
        assert!((entry.relevance + entropy).abs() < 1e-4);
        let absorbed: f64 = ledger.absorbed.iter().map(|entry| entry.relevance).sum();
        let left = ledger.target - ledger.tokens - absorbed;
        assert!(left.abs() < 1e-5 * ledger.target.abs().max(1.0), "{left}");
        assert!((ledger.unaccounted - left).abs() < 1e-9);
    }
}

#[test]
fn a_contrast_of_two_tokens_is_the_difference_in_either_unit() {
    let (model, _) = load("qwen2");
    let target = Target::read(&model, " film", Some(" end")).unwrap();
    let ids = [" film", " end"].map(|text| model.tokenizer().unwrap().find(text)[0] as usize);
    assert_eq!(target, Target::Contrast(ids[0], ids[1]));
    let explainer = explainer(&model, "attn-lrp");
    let explain = |target, score| {
        let explainer = explainer.clone().target(target).unwrap().score(score);
        explainer.explain("never the").unwrap()
    };
    let parts = ids.map(|id| relevance(&explain(Target::Label(id), Score::Logit)));
    let expected: Vec<f64> = parts[0].iter().zip(&parts[1]).map(|(a, b)| a - b).collect();
    for score in [Score::Logit, Score::LogProbability] {
        let found = explain(target, score);
        assert!(difference(&relevance(&found), &expected) < 1e-5);
        assert_eq!(found.target.label, " film- end");
    }
}

#[test]
fn a_target_that_is_no_token_is_told_apart() {
    let (model, _) = load("gpt2");
    let message = |text, against| {
        let error = Target::read(&model, text, against).unwrap_err();
        error.to_string()
    };
    let told = message(" filmzz", None);
    assert!(
        told.contains("` filmzz`") && told.contains("\" film\""),
        "{told}"
    );
    assert!(message(" film", Some("predicted")).contains("predicted"));
    assert_eq!(
        Target::read(&model, "predicted", None),
        Ok(Target::Predicted)
    );
}

/// An answer as a whole is the sum of its tokens, in relevance, in value and in its account; tokens after
/// the last one that is asked get nothing.
#[rstest]
fn an_answer_is_the_sum_of_its_tokens(
    #[values("gpt2", "llama-3", "qwen3")] family: &str,
    #[values(Score::Logit, Score::LogProbability)] score: Score,
) {
    let (model, _) = load(family);
    let of = |target| {
        explainer(&model, "ah-ln")
            .target(target)
            .unwrap()
            .score(score)
    };
    let whole = of(Target::Given).with_ledger();
    let text = whole
        .tokenize_answer("the keys", " are on the film")
        .unwrap();
    assert!(text.asked.len() > 1);
    let found = whole
        .explain_batch(std::slice::from_ref(&text))
        .unwrap()
        .remove(0);
    let (mut sum, mut value) = (vec![0.0; text.tokens.len()], 0.0);
    for &token in &text.asked {
        let one = TokenizedText {
            asked: vec![token],
            ..text.clone()
        };
        let next = text.tokens[token + 1].id as usize;
        let one = of(Target::Label(next))
            .explain_batch(&[one])
            .unwrap()
            .remove(0);
        let parts = sum.iter_mut().zip(&one.tokens);
        parts.for_each(|(sum, token)| *sum += f64::from(token.relevance));
        value += f64::from(one.target.value);
    }
    let error = difference(&relevance(&found), &sum);
    assert!(error < 1e-5, "{error:.1e}");
    assert!((f64::from(found.target.value) - value).abs() < 1e-4 * value.abs().max(1.0));
    assert_eq!(
        found.tokens.last().unwrap().relevance,
        0.0,
        "nobody asks it"
    );
    let ledger = found.ledger.as_ref().unwrap();
    assert!(ledger.unaccounted.abs() < 1e-5 * ledger.target.abs().max(1.0));
    assert!(
        found.target.label.contains("film"),
        "{}",
        found.target.label
    );
}
