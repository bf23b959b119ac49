//! What an explanation costs next to the forward pass that it cannot do without.
//!
//! ```sh
//! cargo bench --bench explain
//! ```
//!
//! A BERT of 6 blocks and width 384 with fresh weights, 8 texts of 32 tokens. The limit for
//! `gradient-x-input` is the cost of a forward and a backward pass with respect to the input; a
//! rule set should cost no more.

mod common;

use std::sync::{Arc, OnceLock};

use burn::tensor::Device;
use divan::{Bencher, black_box};
use relprop_checkpoints::Model;
use relprop_explain::{Explainer, Plan};
use relprop_rules::{Pass, Registry, RuleSet};
use relprop_transformer::{Batch, PaddingSide, TokenizedText, TransformerConfig};

const TEXTS: usize = 8;
const TOKENS: usize = 32;

fn main() {
    relprop_engine::prepare_process();
    divan::main();
}

fn model() -> &'static Arc<Model> {
    static MODEL: OnceLock<Arc<Model>> = OnceLock::new();
    MODEL.get_or_init(|| {
        Arc::new(common::model(&Device::flex(), |start| TransformerConfig {
            positions: TOKENS,
            ..common::sized(start, 6, 384, 12)
        }))
    })
}

/// Texts of exactly [`TOKENS`] tokens.
fn texts(explainer: &Explainer) -> Vec<TokenizedText> {
    let long = "the plot is not dull ".repeat(TOKENS);
    (0..TEXTS)
        .map(|_| explainer.tokenize(&long).expect("it is not empty"))
        .collect()
}

fn explainer(preset: &str) -> Explainer {
    under(&RuleSet::preset(preset).expect("it is a preset"))
}

fn under(rules: &RuleSet) -> Explainer {
    Explainer::new(model(), &Plan::default().by_rules(rules.clone())).expect("it fits the model")
}

/// Every rule of every operation that the model has, as `operation rule`.
fn rules() -> Vec<String> {
    let registry = Registry::default();
    let operations = registry.operations().filter(|name| *name != "gate");
    let rules = operations.flat_map(|operation| {
        let rules = registry.rules(operation).filter(|rule| *rule != "gradient");
        rules
            .map(move |rule| format!("{operation} {rule}"))
            .collect::<Vec<_>>()
    });
    rules.collect()
}

/// Gradient x Input, but for one rule.
fn only(name: &str) -> RuleSet {
    let (operation, rule) = name.split_once(' ').expect("it names both");
    let parameters = match rule {
        "epsilon" => "epsilon = 1e-6",
        "gamma" | "gamma-positive" => "gamma = 0.25",
        "alpha-beta" => "alpha = 2.0\nbeta = 1.0",
        _ => "",
    };
    let toml = format!(
        "name = \"{name}\"\n[[rules]]\noperation = \"{operation}\"\nrule = \"{rule}\"\n\
         {parameters}\n[[rules]]\nrule = \"gradient\""
    );
    RuleSet::from_toml(&toml).expect("it is a rule set")
}

#[divan::bench(sample_count = 20)]
fn forward(bencher: Bencher) {
    let texts = texts(&explainer("ah-ln"));
    let transformer = &model().transformer;
    bencher.bench_local(|| {
        let batch = Batch::new(&texts, 0, PaddingSide::Right, &transformer.device());
        black_box(transformer.forward(&batch, &mut Pass::plain()).into_data())
    });
}

#[divan::bench(args = RuleSet::presets(), sample_count = 20)]
fn preset(bencher: Bencher, preset: &str) {
    let explainer = explainer(preset);
    let texts = texts(&explainer);
    bencher.bench_local(|| black_box(explainer.explain_batch(&texts).expect("it explains")));
}

/// The same with the account of every text, which is kept text by text; beside it, what explaining
/// them one by one costs without an account.
#[divan::bench(args = ["gradient-x-input", "ah-ln", "libra"], sample_count = 20)]
fn ledger(bencher: Bencher, preset: &str) {
    let plan = Plan {
        ledger: true,
        ..explainer(preset).plan().clone()
    };
    let explainer = Explainer::new(model(), &plan).expect("it fits the model");
    let texts = texts(&explainer);
    bencher.bench_local(|| black_box(explainer.explain_batch(&texts).expect("it explains")));
}

#[divan::bench(args = ["gradient-x-input", "ah-ln", "libra"], sample_count = 20)]
fn one_by_one(bencher: Bencher, preset: &str) {
    let explainer = explainer(preset);
    let texts = texts(&explainer);
    bencher.bench_local(|| {
        for text in texts.chunks(1) {
            black_box(explainer.explain_batch(text).expect("it explains"));
        }
    });
}

#[divan::bench(args = rules(), sample_count = 20)]
fn gradient_x_input_but_for(bencher: Bencher, rule: &str) {
    let explainer = under(&only(rule));
    let texts = texts(&explainer);
    bencher.bench_local(|| black_box(explainer.explain_batch(&texts).expect("it explains")));
}
