//! Scalars beyond a logit: each is a sum of logits, or its gradient at them, so its relevance follows from
//! that of every logit by the formula, written here in loops.

use std::num::NonZeroUsize;
use std::sync::Arc;

use burn::tensor::{DType, Tensor};
use relprop_checkpoints::Model;
use relprop_explain::batching::{Passes, batch};
use relprop_explain::{Chosen, ExplainError, Explainer, Explanation, Parts, Scalar, Score, Target};
use relprop_rules::Pass;
use relprop_testing::{Asked, difference, explainer, numbers, relevance};
use relprop_transformer::TokenizedText;
use rstest::rstest;

use super::heads;
use super::language;

const TEXT: &str = "the end is never dull";

fn model(name: &str) -> Model {
    language::load(name).0
}

/// `explainer`, asked for what is written.
fn of(explainer: &Explainer, scalar: &str) -> Result<Explainer, ExplainError> {
    let scalar: Scalar = scalar.parse().unwrap();
    explainer.clone().asked(|plan| plan.target = scalar)
}

fn one(explainer: &Explainer, text: &TokenizedText) -> Explanation {
    let texts = std::slice::from_ref(text);
    explainer.explain_batch(texts).unwrap().remove(0)
}

/// The largest difference, in the unit of the numbers.
fn farthest(found: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let differences = found.iter().zip(expected).map(|(a, b)| (a - b).abs());
    differences.fold(0.0, |most, error| if error >= most { error } else { most })
}

/// The account closes, and what stands between the logits and the scalar is `expected`.
#[track_caller]
fn closes(found: &Explanation, expected: Option<(&str, &str, f64)>) {
    let ledger = found.ledger().unwrap();
    let tokens: f64 = relevance(found).iter().sum();
    let absorbed: f64 = ledger.absorbed.iter().map(|entry| entry.relevance).sum();
    let scale = 1e-5 * ledger.target.abs().max(1.0);
    assert!((ledger.target - tokens - absorbed).abs() < scale);
    assert!((ledger.target - f64::from(found.target.value)).abs() < scale);
    let last = ledger.absorbed.last().unwrap();
    match expected {
        None => assert!(!["entropy", "log-probability"].contains(&last.site.as_str())),
        Some((site, kind, relevance)) => {
            assert_eq!((last.site.as_str(), last.kind.as_str()), (site, kind));
            let error = (last.relevance - relevance).abs();
            assert!(error < 1e-4, "{} is not {relevance}", last.relevance);
        }
    }
}

/// Of a label minus the mean of all, or of the largest; of an entropy: in a classifier and in language
/// models, each relevance is that of the logits by the gradient.
#[rstest]
fn a_scalar_has_the_relevance_of_its_logits_by_the_gradient(
    #[values("bert", "gpt2", "llama-3")] family: &str,
    #[values("ah-ln", "libra")] preset: &str,
) {
    let model = model(family);
    let outputs = model.transformer.config().logits();
    let explainer = explainer(&model, preset);
    let text = explainer.tokenize(TEXT).unwrap();
    let of_logits: Vec<Vec<f64>> = (0..outputs)
        .map(|index| {
            relevance(&one(
                &explainer.target(Target::Label(index)).unwrap(),
                &text,
            ))
        })
        .collect();
    let logits = language::every_logit(&model, &text);
    let mut order: Vec<usize> = (0..outputs).collect();
    order.sort_by(|&a, &b| logits[b].total_cmp(&logits[a]));
    let (best, count) = (order[0], 2);
    let share = |over: &[usize], index: usize| match over.contains(&index) {
        true => 1.0 / over.len() as f64,
        false => 0.0,
    };
    let is = |label: usize, index: usize| f64::from(u8::from(label == index));
    let whole: f64 = logits.iter().map(|z| z.exp()).sum();
    let p = |index: usize| logits[index].exp() / whole;
    let entropy: f64 = (0..outputs).map(|j| -p(j) * p(j).ln()).sum();
    let sloped = |index: usize| -p(index) * (p(index).ln() + entropy);
    let through: f64 = (0..outputs).map(|j| sloped(j) * logits[j]).sum();

    type Case<'a> = (String, Box<dyn Fn(usize) -> f64 + 'a>, Option<f64>);
    let cases: [Case; 5] = [
        (
            "id:1-mean()".into(),
            Box::new(|j| is(1, j) - share(&order, j)),
            None,
        ),
        (
            "predicted-mean()".into(),
            Box::new(|j| is(best, j) - share(&order, j)),
            None,
        ),
        (
            format!("id:1-mean({count})"),
            Box::new(|j| is(1, j) - share(&order[..count], j)),
            None,
        ),
        ("predicted-mean(1)".into(), Box::new(|_| 0.0), None),
        ("entropy()".into(), Box::new(sloped), Some(entropy)),
    ];
    for (scalar, weight, value) in cases {
        let asked = of(&explainer, &scalar).unwrap().with_ledger();
        let found = one(&asked, &text);
        let mut expected = vec![0.0; text.tokens.len()];
        for (index, of_logit) in of_logits.iter().enumerate() {
            let sums = expected.iter_mut().zip(of_logit);
            sums.for_each(|(sum, r)| *sum += weight(index) * r);
        }
        let error = farthest(&relevance(&found), &expected);
        let largest = of_logits
            .iter()
            .flatten()
            .fold(0.0_f64, |most, r| most.max(r.abs()));
        assert!(error < 1e-5 * largest.max(1.0), "{scalar}");
        let linear: f64 = (0..outputs).map(|j| weight(j) * logits[j]).sum();
        let expected = value.unwrap_or(linear);
        assert!(
            (f64::from(found.target.value) - expected).abs() < 1e-4,
            "{scalar}"
        );
        match value {
            Some(value) => closes(&found, Some(("entropy", "softmax", value - through))),
            None if expected != 0.0 => closes(&found, None),
            None => {}
        }
        // Blocks that run again give the same.
        let again = one(&of(&explainer, &scalar).unwrap().recompute(), &text);
        let error = farthest(&relevance(&again), &relevance(&found));
        assert!(error < 1e-5 * largest.max(1.0), "{scalar}");
    }
}

/// The norm of the state that the head reads, against differences of its value where the input of one token
/// is made a little longer and a little shorter.
#[rstest]
fn a_norm_has_the_relevance_of_its_slopes(
    #[values("bert", "gpt2", "llama-3", "heads/bert-tokens", "heads/electra-masks")] family: &str,
) {
    let (model, _): (_, serde_json::Value) = relprop_testing::fixtures::load(family);
    let text = match family.ends_with("masks") {
        true => "a [MASK] film",
        false => TEXT,
    };
    let plain = explainer(&model, "gradient-x-input");
    let explainer = of(&plain, "norm()").unwrap().with_ledger();
    let text = explainer.tokenize(text).unwrap();
    let found = one(&explainer, &text);
    closes(&found, None);
    assert_eq!(found.target.score, Score::Norm);

    let transformer = &model.transformer.clone().cast(DType::F64);
    let batch = batch(transformer, [&text]);
    let mut pass = Pass::plain().with_probe("blocks");
    transformer.forward(&batch, &mut pass);
    let signal = pass.into_readings().read("blocks").unwrap().signal;
    let asked: Vec<usize> = match transformer.answers(&batch) {
        Some(answers) => (0..answers.dims()[1]).collect(),
        None => (0..text.tokens.len())
            .filter(|&token| !text.tokens[token].special)
            .collect(),
    };
    let norm = |signal: Tensor<3>| -> f64 {
        let mut pass = Pass::plain().with_signal("blocks", signal);
        let state = transformer.forward_with_state(&batch, &mut pass).state;
        let width = state.dims()[2];
        let states = numbers(state);
        let norms = asked.iter().map(|answer| {
            let state = &states[answer * width..(answer + 1) * width];
            state.iter().map(|h| h * h).sum::<f64>().sqrt()
        });
        norms.sum()
    };
    assert!((norm(signal.clone()) - f64::from(found.target.value)).abs() < 1e-4);
    let slopes: Vec<f64> = (0..text.tokens.len())
        .map(|token| {
            let stretched = |by: f64| {
                let own = signal.clone().narrow(1, token, 1) * by;
                signal.clone().slice_assign([0..1, token..token + 1], own)
            };
            (norm(stretched(1.0 + 1e-4)) - norm(stretched(1.0 - 1e-4))) / 2e-4
        })
        .collect();
    let error = difference(&relevance(&found), &slopes);
    assert!(error < 1e-5, "{error:.1e}: {slopes:?}");
    let again = one(&of(&plain, "norm()").unwrap().recompute(), &text);
    assert!(difference(&relevance(&again), &relevance(&found)) < 1e-5);
}

/// A text alone, in a batch and padded on either side.
#[rstest]
fn a_scalar_does_not_depend_on_the_batch(
    #[values(
        "id:1-mean(2)",
        "entropy()",
        "norm()",
        "log-probability(id:1)",
        "predicted@word(1..3)"
    )]
    scalar: &str,
    #[values("gpt2", "heads/bert-tokens")] family: &str,
) {
    let (model, _): (_, serde_json::Value) = relprop_testing::fixtures::load(family);
    let explainer = of(&explainer(&model, "ah-ln"), scalar).unwrap();
    let texts = [
        TEXT,
        "a warm , funny film that is good and never dull",
        "dull film is",
    ];
    let texts = texts.map(|text| explainer.tokenize(text).unwrap());
    let alone: Vec<_> = texts.iter().map(|text| one(&explainer, text)).collect();
    for side in [
        relprop_transformer::PaddingSide::Left,
        relprop_transformer::PaddingSide::Right,
    ] {
        let together = explainer
            .clone()
            .padding(side)
            .explain_batch(&texts)
            .unwrap();
        for (found, expected) in together.iter().zip(&alone) {
            let error = difference(&relevance(found), &relevance(expected));
            assert!(error < 1e-5, "{error:.1e}");
            let values = [found, expected].map(|one| f64::from(one.target.value));
            assert!(difference(&values[..1], &values[1..]) < 1e-5);
        }
    }
}

/// Of labels of tokens, a word and an entity are the sums of their tokens, a class joins B- and I-.
#[test]
fn a_word_and_an_entity_are_sums_of_their_tokens() {
    let (model, _) = heads::load::<serde_json::Value>("bert-tokens");
    let explainer = Explainer::new(&model, &heads::plan(&model)).unwrap();
    let labels = &model.transformer.config().labels;
    let index = |name: &str| labels.iter().position(|label| label == name).unwrap();
    let text = "The film is NOT good ; unbelievably dull !";
    let found = |scalar: &str| {
        let scalar = Scalar::read(&model, scalar, None).unwrap();
        let explainer = explainer
            .clone()
            .asked(|plan| plan.target = scalar)
            .unwrap();
        explainer.explain(text).unwrap()
    };
    let tokens = explainer.tokenize(text).unwrap().tokens;
    let of_word: Vec<usize> = (0..tokens.len())
        .filter(|&i| tokens[i].word == tokens[9].word)
        .collect();
    assert!(of_word.len() > 1, "the word has pieces");
    let word = &text[tokens[of_word[0]].start..tokens[of_word[of_word.len() - 1]].end];
    let [first, next] = [index("B-PER"), index("I-PER")];
    let parts = of_word.iter().enumerate().map(|(place, token)| {
        let label = if place == 0 { first } else { next };
        found(&format!("id:{label}@token({token})"))
    });
    let parts: Vec<_> = parts.collect();
    let mut sum = vec![0.0; tokens.len()];
    for part in &parts {
        sum.iter_mut()
            .zip(relevance(part))
            .for_each(|(sum, r)| *sum += r);
    }
    let value: f64 = parts.iter().map(|part| f64::from(part.target.value)).sum();
    for scalar in [format!("PER@{word:?}"), format!("class(I-PER)@{word:?}")] {
        let whole = found(&scalar);
        assert!(difference(&relevance(&whole), &sum) < 1e-5, "{scalar}");
        assert!(
            (f64::from(whole.target.value) - value).abs() < 1e-4,
            "{scalar}"
        );
        assert_eq!(whole.target.label, "PER");
    }
}

/// An entity by its number is the part that is found when all are asked one after another, and its account closes.
#[test]
fn an_entity_has_a_number() {
    let (model, _) = heads::load::<serde_json::Value>("bert-tokens");
    let explainer = Explainer::new(&model, &heads::plan(&model)).unwrap();
    let text = "The film is NOT good ; unbelievably dull !";
    let whole = explainer.tokenize(text).unwrap();
    let whole = explainer.labelling(&mut Passes::default(), &whole, Parts::Entities, |_| ());
    let parts = whole.unwrap().parts;
    assert!(parts.len() > 1 && parts.iter().any(|part| part.tokens.len() > 1));
    let asked = |scalar: &str| {
        let explainer = of(&explainer, scalar).unwrap();
        explainer.asked(|plan| plan.ledger = true).unwrap()
    };
    let check = |scalar: &str, tokens: &[usize], expected: &[f64], value: f64| {
        let explainer = asked(scalar);
        let text = explainer.tokenize(text).unwrap();
        assert_eq!(text.asked, tokens, "{scalar}");
        let found = one(&explainer, &text);
        assert!(difference(&relevance(&found), expected) < 1e-5, "{scalar}");
        assert!((f64::from(found.target.value) - value).abs() < 1e-4);
        closes(&found, None);
    };
    let count = parts.len();
    for (number, part) in parts.iter().enumerate() {
        let relevance: Vec<f64> = part.relevance.iter().map(|r| f64::from(*r)).collect();
        for scalar in [
            format!("entity({number})"),
            format!("predicted@entity(-{})", count - number),
        ] {
            check(&scalar, &part.tokens, &relevance, part.target.value.into());
        }
    }
    // Several are their sum.
    let sums = (0..parts[0].relevance.len()).map(|token| {
        let of_parts = parts.iter().map(|part| f64::from(part.relevance[token]));
        of_parts.sum::<f64>()
    });
    let tokens: Vec<usize> = parts.iter().flat_map(|part| part.tokens.clone()).collect();
    let value: f64 = parts.iter().map(|part| f64::from(part.target.value)).sum();
    let all = format!("entity(0..{count})");
    check(&all, &tokens, &sums.collect::<Vec<_>>(), value);
    for scalar in [
        format!("entity({count})"),
        format!("entity(-{})", count + 1),
    ] {
        let error = asked(&scalar).tokenize(text).unwrap_err().to_string();
        let expected = format!("`{scalar}` in the text: the text has {count} entities");
        assert!(error.contains(&expected), "{error}");
    }
}

/// An answer that is given, by its words; its log-probability is that of its start and of its end among all
/// tokens.
#[test]
fn a_given_answer_is_found_by_its_words() {
    let (model, _) = heads::load::<serde_json::Value>("bert-answers");
    let explainer = Explainer::new(&model, &heads::plan(&model)).unwrap();
    let found = |scalar: &str| -> Explanation {
        let explainer = of(&explainer, scalar).unwrap();
        let pair = explainer.tokenize_pair("is the film good ?", "the film is never dull");
        one(&explainer, &pair.unwrap())
    };
    // The question has the word too, and is no place for an answer.
    let asked = found("answer()@\"film\"");
    let answer = asked.answer.as_ref().unwrap();
    assert_eq!(
        (answer.text.as_str(), asked.target.label.as_str()),
        ("film", "film")
    );
    let [start, end] = answer.tokens;
    assert_eq!((start, asked.tokens[start].text.as_str()), (end, "film"));
    let of = |logits: &[f32]| {
        let whole: f64 = logits.iter().map(|z| f64::from(*z).exp()).sum();
        (
            f64::from(logits[start]),
            f64::from(logits[start]) - whole.ln(),
        )
    };
    let (starts, ends) = (of(&answer.start_logits), of(&answer.end_logits));
    assert!((f64::from(asked.target.value) - starts.0 - ends.0).abs() < 1e-5);
    let likely = found(
        "log-probability(answer()@\"film\")"
            .replace("()@\"film\")", "())@\"film\"")
            .as_str(),
    );
    assert!((f64::from(likely.target.value) - starts.1 - ends.1).abs() < 1e-4);
    assert!(found("entropy()").target.value > 0.0);
}

#[rstest]
#[case("bert", "answer()", "does not go on with a text")]
#[case("bert", "predicted@token(1)", "answers for a text as a whole")]
#[case("bert", "class(id:0)", "only a model that labels tokens")]
#[case("bert", "id:7-mean()", "there is no target `id:7-mean()`")]
#[case("bert", "id:0-mean(4)", "there is no target `id:0-mean(4)`")]
#[case("bert", "entity(0)", "answers for a text as a whole")]
#[case("gpt2", "entity(0)", "only a model that labels tokens finds entities")]
#[case("heads/bert-answers", "answer()", "has no place in the text")]
#[case("heads/bert-answers", "predicted@\"film\"", "answer()@PLACE")]
#[case("heads/bert-answers", "id:0", "has no labels")]
#[case(
    "heads/gpt2-labels",
    "predicted@token(0)",
    "answers for a text as a whole"
)]
fn what_a_model_does_not_have_is_refused(
    #[case] family: &str,
    #[case] scalar: &str,
    #[case] expected: &str,
) {
    let (model, _): (_, serde_json::Value) = relprop_testing::fixtures::load(family);
    let error = of(&explainer(&model, "ah-ln"), scalar)
        .unwrap_err()
        .to_string();
    assert!(error.contains(expected), "{error}");
}

/// A method that knows single logits alone says so.
#[test]
fn other_methods_refuse_what_is_no_logit() {
    let model = Arc::new(model("bert"));
    for target in [
        Scalar {
            score: Score::Entropy,
            ..Scalar::default()
        },
        Scalar {
            score: Score::Norm,
            ..Scalar::default()
        },
        Target::AboveMean {
            of: Chosen::Predicted,
            top: NonZeroUsize::new(2),
        }
        .into(),
    ] {
        let plan = relprop_explain::Plan {
            method: Some("saliency".to_owned()),
            target,
            ..Default::default()
        };
        let error = Explainer::new(&model, &plan).unwrap_err();
        assert!(
            matches!(error, ExplainError::OnlyPropagation { .. }),
            "{error}"
        );
    }
}
