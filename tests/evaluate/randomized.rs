//! The two sanity checks: relevance must depend on the model, and on what is explained.

use std::collections::BTreeMap;

use relprop_checkpoints::Model;
use relprop_evaluate::{Candidate, Method, Random, cascade};
use relprop_explain::{Explainer, Target};
use rstest::rstest;

use crate::{measure, measure_candidate, samples};
use relprop_testing::{Architecture, explainer, model, parameters, propagation};

const SEED: u64 = 5;

/// Spearman's correlation: Pearson's of the ranks, each counted by hand. No two are equal.
fn spearman(a: &[f64], b: &[f64]) -> f64 {
    let rank = |list: &[f64], i: usize| list.iter().filter(|x| **x < list[i]).count() as f64;
    let count = a.len() as f64;
    let mut squares = 0.0;
    for i in 0..a.len() {
        squares += (rank(a, i) - rank(b, i)).powi(2);
    }
    1.0 - 6.0 * squares / (count * (count * count - 1.0))
}

fn relevance(
    explainer: &Explainer,
    text: &relprop_transformer::TokenizedText,
    label: usize,
) -> Vec<f64> {
    let explainer = explainer.clone().target(Target::Label(label)).unwrap();
    relprop_testing::relevance(&explainer.explain_batch(std::slice::from_ref(text)).unwrap()[0])
}

#[test]
fn mprt_is_the_mean_rank_correlation_with_the_randomised_models() {
    let model = model(&Architecture::PostNorm.config());
    let samples = samples(&model);
    let stages: Vec<Model> = cascade(&model, SEED)
        .into_iter()
        .map(|(_, model)| model)
        .collect();
    let randomised = stages
        .iter()
        .map(|model| Box::new(propagation(model, "ah-ln")) as Box<dyn Method>);
    let candidate = Candidate {
        method: Box::new(propagation(&model, "ah-ln")),
        randomized: randomised.collect(),
    };
    let found = measure_candidate(&model, candidate, &["mprt"], &samples);
    for (sample, found) in samples.iter().zip(found) {
        let whole = relevance(
            &explainer(&model, "ah-ln"),
            &sample.text,
            sample.label().unwrap(),
        );
        let expected: Vec<f64> = stages
            .iter()
            .map(|stage| {
                let of_stage = relevance(
                    &explainer(stage, "ah-ln"),
                    &sample.text,
                    sample.label().unwrap(),
                );
                spearman(&whole, &of_stage)
            })
            .collect();
        let found = found[0].clone().unwrap();
        assert_eq!(found.curve.len(), expected.len());
        for (found, expected) in found.curve.iter().zip(&expected) {
            assert!(
                (found - expected).abs() < 1e-9,
                "{found} instead of {expected}"
            );
        }
        let mean = expected.iter().sum::<f64>() / expected.len() as f64;
        assert!((found.value - mean).abs() < 1e-9);
    }
}

#[test]
fn the_random_logit_is_another_label() {
    let model = model(&Architecture::PostNorm.config());
    let samples = samples(&model);
    let explainer = explainer(&model, "ah-ln");
    let found = measure(
        &model,
        propagation(&model, "ah-ln"),
        &["random-logit"],
        &samples,
    );
    for (sample, found) in samples.iter().zip(found) {
        let own = relevance(&explainer, &sample.text, sample.label().unwrap());
        let found = found[0].clone().unwrap().value;
        let others = (0..3).filter(|label| Some(*label) != sample.label());
        let mut others =
            others.map(|label| spearman(&own, &relevance(&explainer, &sample.text, label)));
        assert!(others.any(|other| (other - found).abs() < 1e-9), "{found}");
    }
}

#[test]
fn a_method_that_looks_at_nothing_fails_both() {
    let model = model(&Architecture::PostNorm.config());
    let samples = samples(&model);
    let candidate = Candidate {
        method: Box::new(Random { seed: 1 }),
        randomized: vec![Box::new(Random { seed: 1 }), Box::new(Random { seed: 1 })],
    };
    for found in measure_candidate(&model, candidate, &["mprt", "random-logit"], &samples) {
        for reading in found {
            assert!((reading.unwrap().value - 1.0).abs() < 1e-12);
        }
    }
}

/// The names of the parameters that differ.
fn changed(before: &Model, after: &Model) -> Vec<String> {
    let [before, after]: [BTreeMap<String, Vec<f64>>; 2] =
        [before, after].map(|model| parameters(&model.transformer));
    assert!(before.keys().eq(after.keys()));
    let changed = before
        .into_iter()
        .filter(|(name, values)| after[name] != *values);
    changed.map(|(name, _)| name).collect()
}

#[rstest]
#[case(Architecture::PostNorm, &["classifier", "pooler", "encoder.1", "encoder.0", "embeddings"])]
#[case(Architecture::PreNorm, &["classifier", "encoder.1", "encoder.0", "embeddings"])]
fn the_cascade_goes_from_the_top_down_and_leaves_the_rest(
    #[case] architecture: Architecture,
    #[case] names: &[&str],
) {
    let model = model(&architecture.config());
    let stages = cascade(&model, SEED);
    assert!(
        stages
            .iter()
            .map(|(name, _)| name.as_str())
            .eq(names.iter().copied())
    );
    let mut before = model.clone();
    for (name, after) in &stages {
        let changed = changed(&before, after);
        assert!(!changed.is_empty(), "{name}");
        for parameter in changed {
            let top = name == "classifier" && parameter.starts_with("final_norm.");
            assert!(
                parameter.starts_with(&format!("{name}.")) || top,
                "{name}: {parameter}"
            );
        }
        before = after.clone();
    }
    // In the end every parameter is another; the same seed draws the same, another seed others.
    let all = parameters(&model.transformer).len();
    assert_eq!(changed(&model, &before).len(), all);
    assert!(changed(&before, &cascade(&model, SEED).pop().unwrap().1).is_empty());
    assert_eq!(
        changed(&before, &cascade(&model, SEED + 1).pop().unwrap().1).len(),
        all
    );
}

#[test]
fn randomised_parameters_keep_their_size() {
    let model = model(&Architecture::PostNorm.config());
    let last = cascade(&model, SEED).pop().unwrap().1;
    let randomised = parameters(&last.transformer);
    for (name, values) in parameters(&model.transformer) {
        let moments = |values: &[f64]| {
            let count = values.len() as f64;
            let mean = values.iter().sum::<f64>() / count;
            let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / count;
            (mean, variance.sqrt())
        };
        let count = (values.len() as f64).sqrt();
        let (mean, deviation) = moments(&values);
        let (now, spread) = moments(&randomised[&name]);
        // Within five standard errors.
        assert!(
            (now - mean).abs() < 5.0 * deviation / count,
            "{name}: {now} {mean}"
        );
        assert!(
            (spread - deviation).abs() < 5.0 * deviation / count,
            "{name}: {spread} {deviation}"
        );
    }
}
