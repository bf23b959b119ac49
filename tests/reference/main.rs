//! Agreement with an independent PyTorch implementation on a real BERT, in float64.
//!
//! The models lie in the folder `shared` beside the checkout, so the tests run only if asked for:
//! `cargo test --workspace --test reference -- --ignored --nocapture`.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use burn::tensor::Device;
use relprop_checkpoints::Model;
use relprop_explain::{Explainer, Plan, Target};
use relprop_rules::RuleSet;
use relprop_testing::{difference, logits, relevance};
use serde_json::Value;

const FOLDER: &str = "../shared/models/minilm-l6-sst2";

/// The model, and what PyTorch says of it.
fn minilm() -> (Arc<Model>, Value) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(FOLDER);
    let model = Model::load(&folder, &Device::flex()).unwrap();
    let text = fs::read_to_string(folder.join("reference.json")).unwrap();
    (Arc::new(model), serde_json::from_str(&text).unwrap())
}

fn floats(value: &Value) -> Vec<f64> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|number| number.as_f64().unwrap())
        .collect()
}

/// Token ids, logits, and relevance at two sites under every preset that the reference has.
#[test]
#[ignore = "reads ../shared/models: cargo test --test reference -- --ignored"]
fn minilm_agrees_with_pytorch() {
    let (model, reference) = minilm();

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
                    target: Target::Label(target).into(),
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
                let expected = floats(&sentence["logits"]);
                assert!(difference(&logits(&explanation), &expected) < 1e-4);

                let expected = floats(&sentence["relevance"][preset.as_str()][at]["tokens"]);
                worst = worst.max(difference(&relevance(&explanation), &expected));
            }
            println!("{preset} at {site}: {worst:.1e} of the largest relevance");
            assert!(worst < 1e-4, "{preset} at {site}: {worst:.1e}");
        }
    }
}

/// What the tokens hold, what biases and shifts absorbed, and the rest, as PyTorch adds them up.
#[test]
#[ignore = "reads ../shared/models: cargo test --test reference -- --ignored"]
fn the_ledger_of_minilm_agrees_with_pytorch() {
    let (model, reference) = minilm();

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
                target: Target::Label(target).into(),
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
