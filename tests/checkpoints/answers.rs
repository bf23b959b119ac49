//! Answers that an encoder and a decoder find together, against PyTorch, on the fixtures that `fixtures/two_stacks.py` made.

use std::sync::Arc;

use relprop_checkpoints::Model;
use relprop_explain::{Explainer, Plan};
use relprop_testing::{difference, fixtures, relevance};
use rstest::rstest;
use serde::Deserialize;

use super::heads::TOLERANCE;
use super::two_stacks::plan;

#[derive(Deserialize)]
struct Answered {
    text: String,
    pair: String,
    ids: Vec<u32>,
    source: usize,
    start: Vec<f64>,
    end: Vec<f64>,
    span: [usize; 2],
    relevance: Vec<f64>,
}

/// The decoder reads the question and the text once more, and the state of each token there answers for one of the source.
#[rstest]
fn an_answer_is_found_by_both_stacks(#[values("t5-answers", "bart-answers")] name: &str) {
    let (model, texts): (Model, Vec<Answered>) = fixtures::load(&format!("two_stacks/{name}"));
    let model = Arc::new(model);
    let plain = plan("gradient-x-input", "embeddings.word");
    let explainer = Explainer::new(&model, &plain).unwrap();
    let batch: Vec<_> = texts
        .iter()
        .map(|text| explainer.tokenize_pair(&text.text, &text.pair).unwrap())
        .collect();
    let together = explainer.explain_batch(&batch).unwrap();
    for ((expected, together), text) in texts.iter().zip(together).zip(&batch) {
        let alone = explainer
            .explain_batch(std::slice::from_ref(text))
            .unwrap()
            .remove(0);
        for found in [together, alone] {
            let ids: Vec<_> = found.tokens.iter().map(|token| token.id).collect();
            assert_eq!((&ids, text.source), (&expected.ids, expected.source));
            let answer = found.answer.as_ref().unwrap();
            let numbers = |found: &[f32]| found.iter().copied().map(f64::from).collect::<Vec<_>>();
            for (found, expected) in [
                (&answer.start_logits, &expected.start),
                (&answer.end_logits, &expected.end),
            ] {
                let error = difference(&numbers(found), expected);
                assert!(error < TOLERANCE, "{name}: {error:.1e}");
            }
            assert_eq!(answer.tokens, expected.span, "{name}");
            assert!(expected.pair.contains(&answer.text), "{}", answer.text);
            let error = difference(&relevance(&found), &expected.relevance);
            assert!(error < TOLERANCE, "{name}: {error:.1e}");
        }
    }
    // A part of the text that is asked for is that of the source, though the decoder reads it as well.
    let asked = Plan {
        target: "answer()@\"is\"".parse().unwrap(),
        ..plain
    };
    let explainer = Explainer::new(&model, &asked).unwrap();
    let found = explainer.tokenize_pair(&texts[0].text, &texts[0].pair);
    let found = explainer
        .explain_batch(&[found.unwrap()])
        .unwrap()
        .remove(0);
    let answer = found.answer.unwrap();
    assert_eq!(answer.text, "is");
    let [first, last] = answer.tokens;
    let expected = texts[0].start[first] + texts[0].end[last];
    assert!((f64::from(found.target.value) - expected).abs() < TOLERANCE);
}

/// The account of an answer closes over both stacks.
#[rstest]
fn the_ledger_of_an_answer_closes(
    #[values("t5-answers", "bart-answers")] name: &str,
    #[values("gradient-x-input", "ah-ln", "attn-lrp", "libra")] preset: &str,
    #[values("blocks", "embeddings.word")] at: &str,
) {
    let (model, texts): (Model, Vec<Answered>) = fixtures::load(&format!("two_stacks/{name}"));
    let ledger = Plan {
        ledger: true,
        ..plan(preset, at)
    };
    let explainer = Explainer::new(&Arc::new(model), &ledger).unwrap();
    let text = explainer.tokenize_pair(&texts[0].text, &texts[0].pair);
    let found = explainer.explain_batch(&[text.unwrap()]).unwrap().remove(0);
    let account = found.ledger().unwrap();
    let size = account.tokens.abs().max(account.target.abs()).max(1.0);
    let unaccounted = account.unaccounted.abs() / size;
    assert!(unaccounted < 1e-5, "{name}: {unaccounted:.1e}");
}
