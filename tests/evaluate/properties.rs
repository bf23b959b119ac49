//! Bounds, ends and invariances that hold for any relevance.

use proptest::prelude::*;
use relprop_checkpoints::Model;
use relprop_evaluate::{Method, Random, Reading, Sample};
use relprop_transformer::TokenizedText;

use crate::{Given, measure, samples};
use relprop_testing::{Architecture, Draw, model, propagation};

const PERTURBING: [&str; 9] = [
    "auac",
    "aupc",
    "au-mse",
    "auac-text",
    "aupc-text",
    "au-mse-text",
    "morf",
    "lerf",
    "srg",
];
const ALL: [&str; 21] = [
    "auac",
    "aupc",
    "au-mse",
    "auac-text",
    "aupc-text",
    "au-mse-text",
    "morf",
    "lerf",
    "srg",
    "comprehensiveness",
    "sufficiency",
    "tau-loo",
    "pointing-game",
    "mass-accuracy",
    "rank-accuracy",
    "precision@3",
    "token-f1@5",
    "iou@5",
    "auprc",
    "reciprocal-rank",
    "polarity",
];

/// Relevance drawn at random, changed by `change`.
fn given(samples: &[Sample], seed: u64, change: impl Fn(f32) -> f32) -> Given {
    let mut draw = Draw::new(seed);
    let relevance = samples.iter().map(|sample| {
        let tokens = sample.text.tokens.iter().map(|_| change(draw.number()));
        (sample.text.clone(), tokens.collect())
    });
    Given(relevance.collect())
}

fn values(readings: &[Vec<Option<Reading>>]) -> Vec<Vec<Option<f64>>> {
    let of_text = |text: &Vec<Option<Reading>>| {
        text.iter()
            .map(|reading| reading.as_ref().map(|reading| reading.value))
            .collect()
    };
    readings.iter().map(of_text).collect()
}

fn close(a: &[Vec<Option<f64>>], b: &[Vec<Option<f64>>]) -> bool {
    let pairs = a.iter().flatten().zip(b.iter().flatten());
    a.len() == b.len()
        && pairs.into_iter().all(|(a, b)| match (a, b) {
            (Some(a), Some(b)) => (a - b).abs() < 1e-5 * a.abs().max(1.0),
            (a, b) => a == b,
        })
}

fn tiny() -> (Model, Vec<Sample>) {
    let model = model(&Architecture::PostNorm.config());
    let samples = samples(&model);
    (model, samples)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn values_stay_within_their_bounds(seed: u64) {
        let (model, samples) = tiny();
        let names: Vec<&str> = ALL.into_iter().chain(["conservation", "sparseness"]).collect();
        for text in measure(&model, given(&samples, seed, |r| r), &names, &samples) {
            for (name, reading) in names.iter().zip(text) {
                let Some(Reading { value, curve }) = reading else { continue };
                let (low, high) = match *name {
                    "au-mse" | "au-mse-text" | "conservation" => (0.0, f64::INFINITY),
                    "srg" | "comprehensiveness" | "sufficiency" | "tau-loo" | "polarity" => (-1.0, 1.0),
                    _ => (0.0, 1.0),
                };
                prop_assert!((low..=high).contains(&value), "{name}: {value}");
                prop_assert!(curve.iter().all(|point| (low..=high).contains(point)), "{name}");
            }
        }
    }

    /// Twice the relevance is the same explanation.
    #[test]
    fn the_unit_of_relevance_does_not_matter(seed: u64) {
        let (model, samples) = tiny();
        let names: Vec<&str> = ALL.into_iter().chain(["sparseness"]).collect();
        let once = measure(&model, given(&samples, seed, |r| r), &names, &samples);
        let twice = measure(&model, given(&samples, seed, |r| r * 2.0), &names, &samples);
        prop_assert!(close(&values(&once), &values(&twice)));
    }

    /// The opposite relevance hides first what was hidden last.
    #[test]
    fn the_opposite_relevance_has_the_opposite_gain(seed: u64) {
        let (model, samples) = tiny();
        let names = ["srg", "morf", "lerf", "tau-loo"];
        let ours = values(&measure(&model, given(&samples, seed, |r| r), &names, &samples));
        let opposite = values(&measure(&model, given(&samples, seed, |r| -r), &names, &samples));
        for (ours, opposite) in ours.iter().zip(&opposite) {
            let sum = |a: usize, b: usize| ours[a].zip(opposite[b]).map_or(0.0, |(a, b)| a + b);
            prop_assert!(sum(0, 0).abs() < 1e-6, "{ours:?} {opposite:?}");
            prop_assert!(sum(3, 3).abs() < 1e-6, "{ours:?} {opposite:?}");
            prop_assert!((ours[1].unwrap() - opposite[2].unwrap()).abs() < 1e-6);
        }
    }

    /// Special tokens count in no order that leaves them alone.
    #[test]
    fn what_special_tokens_hold_does_not_matter_to_the_corrected_metrics(seed: u64) {
        let (model, samples) = tiny();
        let names = ["auac-text", "aupc-text", "au-mse-text", "srg", "comprehensiveness", "sufficiency"];
        let mut changed = given(&samples, seed, |r| r);
        for (text, relevance) in &mut changed.0 {
            let tokens = text.tokens.iter().zip(relevance);
            tokens.filter(|(token, _)| token.special).for_each(|(_, relevance)| *relevance = 9.0);
        }
        let ours = measure(&model, given(&samples, seed, |r| r), &names, &samples);
        let changed = measure(&model, changed, &names, &samples);
        prop_assert!(close(&values(&ours), &values(&changed)));
    }
}

#[test]
fn curves_start_and_end_where_every_method_must() {
    let (model, samples) = tiny();
    let ours = measure(&model, propagation(&model, "ah-ln"), &PERTURBING, &samples);
    let random = measure(&model, Random { seed: 3 }, &PERTURBING, &samples);
    for (ours, random) in ours.iter().zip(&random) {
        let curves = ours.iter().zip(random).zip(PERTURBING);
        for ((ours, random), name) in curves {
            let [ours, random] = [ours, random].map(|reading| &reading.as_ref().unwrap().curve);
            // Nothing shown, everything shown: no order is left to tell methods apart.
            for end in [0, 10] {
                assert!((ours[end] - random[end]).abs() < 1e-5, "{name}");
            }
            if matches!(name, "au-mse" | "au-mse-text" | "srg") {
                assert_eq!(ours[0], 0.0, "{name}");
            }
        }
        let curve = |index: usize| &ours[index].as_ref().unwrap().curve;
        assert!((curve(0)[10] - curve(1)[0]).abs() < 1e-6);
        assert!((curve(0)[0] - curve(1)[10]).abs() < 1e-6);
    }
}

/// A text gets the same values alone as among others.
#[test]
fn other_texts_and_methods_do_not_matter() {
    let (model, samples) = tiny();
    let together = measure(&model, propagation(&model, "ah-ln"), &ALL, &samples);
    for (index, sample) in samples.iter().enumerate() {
        let alone = measure(
            &model,
            propagation(&model, "ah-ln"),
            &ALL,
            std::slice::from_ref(sample),
        );
        assert!(close(&values(&alone), &values(&together[index..=index])));
    }
}

#[test]
fn relevance_that_is_all_alike_is_measured_and_correlates_with_nothing() {
    let (model, samples) = tiny();
    for constant in [0.0, 1.0] {
        let found = values(&measure(
            &model,
            given(&samples, 1, |_| constant),
            &ALL,
            &samples,
        ));
        for text in found {
            for (name, value) in ALL.iter().zip(text) {
                let none = matches!(*name, "tau-loo" | "polarity")
                    || (*name == "mass-accuracy" && constant == 0.0);
                // Of a text of one word there are no three; a sum over pieces may vary.
                if !matches!(*name, "precision@3" | "token-f1@5" | "iou@5" | "polarity") {
                    assert_eq!(value.is_none(), none, "{name}: {value:?}");
                }
            }
        }
    }
}

#[test]
fn evidence_alone_is_found_by_every_measure() {
    let (model, samples) = tiny();
    let perfect = samples.iter().map(|sample| {
        let of_token = |token: &relprop_transformer::Token| {
            let mut evidence = sample.evidence.iter();
            f32::from(u8::from(
                evidence.any(|e| e.start < token.end && token.start < e.end),
            ))
        };
        (
            sample.text.clone(),
            sample.text.tokens.iter().map(of_token).collect(),
        )
    });
    let perfect = Given(perfect.collect());
    let names = [
        "pointing-game",
        "mass-accuracy",
        "rank-accuracy",
        "auprc",
        "reciprocal-rank",
    ];
    for text in values(&measure(&model, perfect, &names, &samples)) {
        assert_eq!(text, [Some(1.0); 5]);
    }
}

#[test]
fn a_text_whose_evidence_was_cut_off_has_no_number() {
    let (model, mut samples) = tiny();
    samples
        .iter_mut()
        .for_each(|sample| sample.evidence = std::iter::once(1000..1001).collect());
    let names = [
        "pointing-game",
        "mass-accuracy",
        "rank-accuracy",
        "precision@1",
        "token-f1@1",
        "iou@1",
        "auprc",
        "reciprocal-rank",
    ];
    for text in values(&measure(
        &model,
        propagation(&model, "ah-ln"),
        &names,
        &samples,
    )) {
        assert_eq!(text, [None; 8]);
    }
}

#[test]
fn a_random_order_depends_on_text_and_seed_alone() {
    let (_, samples) = tiny();
    let texts: Vec<TokenizedText> = samples.into_iter().map(|s| s.text).collect();
    let ranks = |seed, texts: &[TokenizedText]| {
        Random { seed }
            .relevance(&texts.iter().collect::<Vec<_>>(), 0)
            .unwrap()
    };
    let together = ranks(1, &texts);
    assert_eq!(ranks(1, &texts[3..]), together[3..]);
    assert_ne!(ranks(2, &texts), together);
    let mut sorted = together[3].clone();
    sorted.sort_by(f32::total_cmp);
    let expected: Vec<f32> = (1..=texts[3].tokens.len())
        .map(|rank| rank as f32)
        .collect();
    assert_eq!(sorted, expected);
    assert_ne!(together[3], expected);
}
