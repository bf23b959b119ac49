//! What measuring an explanation costs.
//!
//! ```sh
//! cargo bench --bench evaluate
//! ```
//!
//! A BERT of the size that `relprop train` makes unless it is told otherwise, with fresh weights, and 16
//! texts of 24 tokens. The limit: 872 texts under 6 presets, with both curves, within ten minutes on two
//! cores. That is 0.11 s for each text under each preset, or 1.8 s for what is measured here.

mod common;

use std::sync::{Arc, OnceLock};

use burn::tensor::Device;
use divan::{Bencher, black_box};
use relprop_checkpoints::Model;
use relprop_evaluate::{Candidate, Evaluation, Method, Metric, Sample, cascade, metric, metrics};
use relprop_explain::methods::Propagation;
use relprop_rules::{Registry, RuleSet};

const TEXTS: usize = 16;
const TOKENS: usize = 24;

fn main() {
    relprop_engine::prepare_process();
    divan::main();
}

fn model() -> &'static Model {
    static MODEL: OnceLock<Model> = OnceLock::new();
    MODEL.get_or_init(|| common::model(&Device::flex(), |start| start))
}

/// Different texts of exactly [`TOKENS`] tokens, of whose words some are evidence.
fn samples() -> Vec<Sample> {
    let words = ["the", "plot", "is", "not", "dull", "and", "film", "warm"];
    let sample = |index: usize| {
        let words = (0..TOKENS).map(|place| words[(index + place * (index % 3 + 1)) % words.len()]);
        let text = words.collect::<Vec<_>>().join(" ");
        let encoded = model()
            .tokenizer()
            .unwrap()
            .encode(&text, TOKENS, Default::default());
        Sample {
            evidence: std::iter::once(0..10).collect(),
            ..Sample::new(encoded.expect("it is not empty"), index % 2)
        }
    };
    (0..TEXTS).map(sample).collect()
}

fn propagation(model: &Model, preset: &str) -> Box<dyn Method> {
    let rules = RuleSet::preset(preset).expect("a preset");
    let propagation = Propagation::new(&Arc::new(model.clone()), &rules, &Registry::default());
    Box::new(propagation.expect("it fits the model"))
}

/// Measures [`TEXTS`] texts under one preset.
fn measure(bencher: Bencher, preset: &str, names: &[&str]) {
    static STAGES: OnceLock<Vec<(String, Model)>> = OnceLock::new();
    let metrics = names.iter().map(|name| metric(name).expect("there is one"));
    let metrics: Vec<Box<dyn Metric>> = metrics.collect();
    let stages = STAGES.get_or_init(|| cascade(model(), 0)).iter();
    let candidate = Candidate {
        method: propagation(model(), preset),
        randomized: stages
            .map(|(_, model)| propagation(model, preset))
            .collect(),
    };
    let evaluation = Evaluation {
        model: model(),
        metrics: &metrics,
        mask_token: model()
            .tokenizer()
            .unwrap()
            .id("[UNK]")
            .expect("it has one"),
        hops: 0,
        seed: 0,
    };
    let candidates = [candidate];
    let samples = samples();
    bencher.bench_local(|| {
        let found = evaluation.measure(&candidates, &samples, |_| {});
        black_box(found.expect("it measures"))
    });
}

/// Both curves of the paper.
#[divan::bench(args = ["gradient-x-input", "ah-ln", "attn-lrp", "libra", "gamma"], sample_count = 10)]
fn both_curves(bencher: Bencher, preset: &str) {
    measure(bencher, preset, &["auac", "au-mse"]);
}

/// One metric by itself.
#[divan::bench(
    args = ["auac", "au-mse-text", "srg", "comprehensiveness", "tau-loo", "pointing-game", "mprt", "random-logit"],
    sample_count = 10
)]
fn one_metric(bencher: Bencher, name: &str) {
    measure(bencher, "ah-ln", &[name]);
}

/// All metrics that need nothing but relevance together: they share what the model reads.
#[divan::bench(sample_count = 10)]
fn all_that_need_relevance_alone(bencher: Bencher) {
    let about = metrics::all().map(|metric| metric.about());
    let names = about.filter(|about| about.need.is_none());
    let names: Vec<_> = names.map(|about| about.name).collect();
    let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    measure(bencher, "ah-ln", &names);
}
