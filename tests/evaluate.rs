//! The curves of the paper's benchmark, against the protocol written out: one text at a time, one
//! pass for each point.

mod common;

use std::path::Path;

use burn::tensor::Device;
use common::{Architecture, explainer, model, texts};
use relprop_explain::Target;
use relprop_explain::evaluate::{Method, Random, Sample, area, faithfulness};
use relprop_train::corpus;
use relprop_transformer::{Batch, Model, PaddingSide, TokenizedText};
use rstest::rstest;

fn samples(model: &Model) -> Vec<Sample> {
    let texts = texts();
    let texts = texts.iter().enumerate();
    let encode = |text| {
        model
            .tokenizer
            .encode(text, 64, Default::default())
            .unwrap()
    };
    texts
        .map(|(index, text)| Sample {
            text: encode(text),
            label: index % 3,
        })
        .collect()
}

/// The logits of a text whose hidden tokens are unknown.
fn logits(model: &Model, text: &TokenizedText, hidden: &[bool], unknown: u32) -> Vec<f64> {
    let mut text = text.clone();
    for (token, _) in text
        .tokens
        .iter_mut()
        .zip(hidden)
        .filter(|(_, hidden)| **hidden)
    {
        token.id = unknown;
    }
    let batch = Batch::new([&text], 0, PaddingSide::Right, &model.transformer.device());
    let logits = model
        .transformer
        .forward(&batch, &mut relprop_rules::Pass::plain());
    common::numbers(logits)
}

/// AUAC and AU-MSE of one text, in plain loops.
fn by_hand(model: &Model, sample: &Sample, relevance: &[f64], unknown: u32) -> (f64, f64) {
    let count = relevance.len();
    let mut most_first: Vec<usize> = (0..count).collect();
    most_first.sort_by(|a, b| relevance[*b].partial_cmp(&relevance[*a]).unwrap());
    let mut least_first: Vec<usize> = (0..count).collect();
    least_first.sort_by(|a, b| {
        relevance[*a]
            .abs()
            .partial_cmp(&relevance[*b].abs())
            .unwrap()
    });
    let whole = logits(model, &sample.text, &vec![false; count], unknown);

    let [mut shown, mut error] = [Vec::new(), Vec::new()];
    for step in 0..=10 {
        let fraction = if step == 10 {
            1.0
        } else {
            f64::from(step) * 0.1
        };
        let flipped = (fraction * count as f64).ceil() as usize;
        let mut hidden = vec![true; count];
        for index in &most_first[..flipped] {
            hidden[*index] = false;
        }
        let now = logits(model, &sample.text, &hidden, unknown);
        let weights: Vec<f64> = now.iter().map(|logit| logit.exp()).collect();
        shown.push(weights[sample.label] / weights.iter().sum::<f64>());

        let mut hidden = vec![false; count];
        for index in &least_first[..flipped] {
            hidden[*index] = true;
        }
        let now = logits(model, &sample.text, &hidden, unknown);
        error.push(
            now.iter()
                .zip(&whole)
                .map(|(a, b)| (a - b).powi(2))
                .sum::<f64>(),
        );
    }
    let trapezoids = |curve: &[f64]| {
        let mut sum = 0.0;
        for step in 1..=10 {
            sum += 0.1 * (curve[step - 1] + curve[step]) / 2.0;
        }
        sum
    };
    (trapezoids(&shown), trapezoids(&error))
}

#[rstest]
#[case(Architecture::PostNorm)]
#[case(Architecture::PreNorm)]
#[case(Architecture::AttentionOnly)]
fn the_batched_curves_are_those_of_plain_loops(#[case] architecture: Architecture) {
    let model = model(&architecture.config());
    let unknown = model.tokenizer.id("[UNK]").unwrap();
    let samples = samples(&model);
    for preset in ["gradient-x-input", "ah-ln"] {
        let explainer = explainer(&model, preset);
        let curves = faithfulness(&model, &explainer, &samples, unknown, |_| {}).unwrap();
        for (sample, curves) in samples.iter().zip(&curves) {
            let target = Target::Label(sample.label);
            let alone = explainer.clone().target(target).unwrap();
            let explanation = alone.explain_batch(std::slice::from_ref(&sample.text));
            let relevance = common::relevance(&explanation.unwrap()[0]);
            let (auac, au_mse) = by_hand(&model, sample, &relevance, unknown);
            assert!((area(&curves.activation) - auac).abs() < 1e-6);
            assert!((area(&curves.error) - au_mse).abs() < 1e-6 * au_mse.max(1.0));
        }
    }
}

#[test]
fn curves_start_and_end_where_every_method_must() {
    let model = model(&Architecture::PostNorm.config());
    let unknown = model.tokenizer.id("[UNK]").unwrap();
    let samples = samples(&model);
    let mut done = 0;
    let explainer = explainer(&model, "ah-ln");
    let ours = faithfulness(&model, &explainer, &samples, unknown, |count| done += count).unwrap();
    assert_eq!(done, samples.len());
    let random = Random { seed: 3 };
    let random = faithfulness(&model, &random, &samples, unknown, |_| {}).unwrap();
    for (ours, random) in ours.iter().zip(&random) {
        // Nothing shown, everything shown: no order is left to tell methods apart.
        for end in [0, 10] {
            assert!((ours.activation[end] - random.activation[end]).abs() < 1e-6);
            assert!((ours.error[end] - random.error[end]).abs() < 1e-5);
            assert!((ours.activation[end] - ours.pruning[10 - end]).abs() < 1e-6);
        }
        assert_eq!(ours.error[0], 0.0);
    }
}

#[test]
fn a_random_order_depends_on_text_and_seed_alone() {
    let model = model(&Architecture::PostNorm.config());
    let texts: Vec<TokenizedText> = samples(&model).into_iter().map(|s| s.text).collect();
    let ranks = |seed, texts: &[TokenizedText]| Random { seed }.relevance(texts, 0).unwrap();
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

/// The first 300 validation sentences of SST-2, true label, against an independent run.
///
/// It takes minutes, so it runs only if asked for:
/// `cargo test --release --workspace --test evaluate -- --ignored --nocapture`.
#[test]
#[ignore = "takes minutes"]
fn minilm_reaches_the_reference_points() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    if !folder.is_dir() {
        eprintln!("skipped: ../shared is not here");
        return;
    }
    let model = Model::load(&folder.join("models/minilm-l6-sst2"), &Device::flex()).unwrap();
    let unknown = model.tokenizer.id("[UNK]").unwrap();
    let inputs = corpus::read_texts(folder.join("data/sst2/dev.tsv")).unwrap();
    let samples: Vec<Sample> = inputs.texts[..300]
        .iter()
        .map(|input| Sample {
            text: model
                .tokenizer
                .encode(&input.text, 512, Default::default())
                .unwrap(),
            label: input.label.as_ref().unwrap().parse().unwrap(),
        })
        .collect();
    for (preset, auac, au_mse) in [
        ("gradient-x-input", 0.757, 3.72),
        ("ah", 0.816, 2.95),
        ("ln", 0.854, 2.38),
        ("ah-ln", 0.896, 2.51),
        ("attn-lrp", 0.933, 1.39),
        ("libra", 0.920, 1.53),
    ] {
        let explainer = explainer(&model, preset);
        let curves = faithfulness(&model, &explainer, &samples, unknown, |_| {}).unwrap();
        let mean = |areas: Vec<f64>| areas.iter().sum::<f64>() / areas.len() as f64;
        let found_auac = mean(curves.iter().map(|c| area(&c.activation)).collect());
        let found_au_mse = mean(curves.iter().map(|c| area(&c.error)).collect());
        println!("{preset}: AUAC {found_auac:.4} ({auac}), AU-MSE {found_au_mse:.3} ({au_mse})");
        assert!(
            (found_auac - auac).abs() < 0.003,
            "{preset}: {found_auac:.4}"
        );
        assert!(
            (found_au_mse / au_mse - 1.0).abs() < 0.01,
            "{preset}: {found_au_mse:.4}"
        );
    }
}
