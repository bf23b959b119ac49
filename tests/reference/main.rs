//! Agreement with an independent PyTorch implementation on a real BERT, in float64.
//!
//! Needs the folder `shared` beside the checkout; without it the tests say that they were skipped.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use burn::tensor::Device;
use relprop_checkpoints::Model;
use relprop_explain::{Explainer, Plan, Target};
use relprop_rules::RuleSet;
use serde_json::Value;

const FOLDER: &str = "../shared/models/minilm-l6-sst2";

fn folder() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(FOLDER);
    if !folder.is_dir() {
        eprintln!("skipped: {FOLDER} is not here");
        return None;
    }
    Some(folder)
}

fn floats(value: &Value) -> Vec<f64> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|number| number.as_f64().unwrap())
        .collect()
}

/// The largest difference, in units of the largest expected absolute value.
fn difference(found: impl Iterator<Item = f32>, expected: &[f64]) -> f64 {
    let found: Vec<f32> = found.collect();
    assert_eq!(found.len(), expected.len());
    let largest = expected
        .iter()
        .fold(0.0_f64, |largest, x| largest.max(x.abs()));
    let finite = found.iter().all(|x| x.is_finite());
    assert!(finite, "not finite: {found:?}");
    let errors = found
        .iter()
        .zip(expected)
        .map(|(a, b)| (f64::from(*a) - b).abs());
    errors.fold(0.0_f64, f64::max) / largest
}

#[test]
fn minilm_agrees_with_pytorch() {
    let Some(folder) = folder() else { return };
    let model = Arc::new(Model::load(&folder, &Device::flex()).unwrap());
    let text = std::fs::read_to_string(folder.join("reference.json")).unwrap();
    let reference: Value = serde_json::from_str(&text).unwrap();

    let sentences = reference["sentences"].as_array().unwrap();
    let presets = sentences[0]["relevance"].as_object().unwrap().keys();
    for preset in presets {
        for (site, at) in [("blocks", "blocks"), ("embeddings.word", "words")] {
            let rules = RuleSet::preset(preset).unwrap();
            let plan = Plan {
                at: Some(site.to_owned()),
                ..Plan::default().by_rules(rules)
            };
            let mut worst = 0.0_f64;
            for sentence in sentences {
                let target = sentence["target"].as_u64().unwrap() as usize;
                let plan = Plan {
                    target: Target::Label(target),
                    ..plan.clone()
                };
                let explanation = Explainer::new(&model, &plan)
                    .unwrap()
                    .explain(sentence["text"].as_str().unwrap())
                    .unwrap();

                let ids: Vec<f64> = explanation
                    .tokens
                    .iter()
                    .map(|token| f64::from(token.id))
                    .collect();
                assert_eq!(ids, floats(&sentence["ids"]));
                let logits = floats(&sentence["logits"]);
                assert!(difference(explanation.logits.iter().copied(), &logits) < 1e-4);

                let expected = floats(&sentence["relevance"][preset.as_str()][at]["tokens"]);
                let found = explanation.tokens.iter().map(|token| token.relevance);
                worst = worst.max(difference(found, &expected));
            }
            println!("{preset} at {site}: {worst:.1e} of the largest relevance");
            assert!(worst < 1e-4, "{preset} at {site}: {worst:.1e}");
        }
    }
}

/// What the tokens hold, what biases and shifts absorbed, and the rest, as PyTorch adds them up.
#[test]
fn the_ledger_of_minilm_agrees_with_pytorch() {
    let Some(folder) = folder() else { return };
    let model = Arc::new(Model::load(&folder, &Device::flex()).unwrap());
    let text = std::fs::read_to_string(folder.join("reference.json")).unwrap();
    let reference: Value = serde_json::from_str(&text).unwrap();

    let sentences = reference["sentences"].as_array().unwrap();
    for preset in sentences[0]["relevance"].as_object().unwrap().keys() {
        let rules = RuleSet::preset(preset).unwrap();
        let plan = Plan {
            ledger: true,
            ..Plan::default().by_rules(rules)
        };
        let [mut worst, mut unaccounted] = [0.0_f64; 2];
        for sentence in sentences {
            let target = sentence["target"].as_u64().unwrap() as usize;
            let plan = Plan {
                target: Target::Label(target),
                ..plan.clone()
            };
            let explanation = Explainer::new(&model, &plan)
                .unwrap()
                .explain(sentence["text"].as_str().unwrap())
                .unwrap();
            let ledger = explanation.ledger().unwrap();
            let is_term = |kind: &str| matches!(kind, "bias" | "shift");
            let absorbed = |terms: bool| {
                let entries = ledger.absorbed.iter();
                let of_kind = entries.filter(|entry| is_term(&entry.kind) == terms);
                of_kind.map(|entry| entry.relevance).sum::<f64>()
            };
            let expected = &sentence["relevance"][preset.as_str()]["blocks"];
            for (found, name) in [
                (ledger.tokens, "sum"),
                (absorbed(true), "biases"),
                (absorbed(false), "rest"),
            ] {
                let expected = expected[name].as_f64().unwrap();
                worst = worst.max((found - expected).abs());
            }
            unaccounted = unaccounted.max(ledger.unaccounted.abs());
        }
        println!("{preset}: sums {worst:.1e} apart, {unaccounted:.1e} unaccounted");
        assert!(worst < 1e-4, "{preset}: {worst:.1e}");
        assert!(unaccounted < 1e-5, "{preset}: {unaccounted:.1e}");
    }
}
