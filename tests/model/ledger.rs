//! The account of a target closes, whatever the model is made of and whatever the rules are.

use burn::tensor::Tensor;
use relprop_checkpoints::Model;
use relprop_explain::{Explanation, Ledger, Target};
use relprop_rules::{Pass, Registry, RuleSet};
use relprop_testing::{
    ARCHITECTURES, Architecture, Asked, draw_config, explain_together, explainer, model, random,
    relevance, texts,
};
use relprop_transformer::{Batch, PaddingSide};
use rstest::rstest;

const PRESETS: [&str; 12] = [
    "gradient-x-input",
    "ah",
    "ln",
    "ah-ln",
    "ah-ln-gamma",
    "attn-lrp",
    "libra",
    "libra-gamma",
    "epsilon",
    "gamma",
    "alpha-beta",
    "z-plus",
];

fn account(model: &Model, preset: &str, text: &str) -> Ledger {
    let explainer = explainer(model, preset).with_ledger();
    explainer.explain(text).unwrap().ledger.unwrap()
}

/// How far an account is from closing, in units of the target.
fn gap(ledger: &Ledger) -> f64 {
    ledger.unaccounted.abs() / ledger.target.abs().max(1.0)
}

fn largest_entry(ledger: &Ledger) -> f64 {
    let entries = ledger.absorbed.iter().map(|entry| entry.relevance.abs());
    entries.fold(0.0, f64::max)
}

#[rstest]
fn it_closes_for_models_of_any_parts(#[values(0, 1, 2, 3)] part: u64) {
    for preset in PRESETS {
        let [mut worst, mut largest] = [0.0_f64; 2];
        for seed in (0..60).filter(|seed| seed % 4 == part) {
            let model = random(&draw_config(seed), 0.3, seed);
            let ledger = account(&model, preset, &texts()[seed as usize % 4]);
            worst = worst.max(gap(&ledger));
            largest = largest.max(largest_entry(&ledger));
        }
        println!("{preset}: {worst:.1e} unaccounted; the largest entry is {largest:.1e}");
        assert!(worst <= 1e-5, "{preset}: {worst:.1e}");
    }
}

/// Every entry of the account is within one layer, and every layer closes by itself.
#[rstest]
fn it_closes_layer_by_layer(
    #[values(
        Architecture::PostNorm,
        Architecture::PreNorm,
        Architecture::AttentionOnly
    )]
    architecture: Architecture,
    #[values("blocks", "embeddings.word", "encoder.0.attention.value")] site: &str,
) {
    let config = architecture.config();
    let model = model(&config);
    for preset in PRESETS {
        let explainer = explainer(&model, preset).with_ledger().at(site).unwrap();
        let explanation = explainer.explain(&texts()[2]).unwrap();
        let ledger = explanation.ledger().unwrap();
        let sites: Vec<_> = ledger
            .layers
            .iter()
            .map(|layer| layer.site.as_str())
            .collect();
        let mut expected = vec![site, "blocks", "encoder.0.output", "encoder.1.output"];
        expected.truncate(config.blocks + 2);
        expected.extend((config.blocks > 2).then_some("encoder.2.output"));
        match site {
            "blocks" => drop(expected.remove(0)),
            "encoder.0.attention.value" => drop(expected.remove(1)),
            _ => {}
        }
        assert_eq!(sites, expected);
        let absorbed: f64 = ledger.layers.iter().map(|layer| layer.absorbed).sum();
        let entries: f64 = ledger.absorbed.iter().map(|entry| entry.relevance).sum();
        assert!((absorbed - entries).abs() <= 1e-9 * entries.abs().max(1.0));
        for layer in &ledger.layers {
            let limit = 1e-5 * ledger.target.abs().max(1.0);
            assert!(layer.unaccounted.abs() <= limit, "{preset}: {layer:?}");
        }
        assert_eq!(explanation.layers().len(), sites.len());
        let tokens = explanation.tokens.len();
        assert!(
            explanation
                .layers()
                .iter()
                .all(|layer| layer.len() == tokens)
        );
    }
}

#[test]
fn an_explanation_is_the_same_with_and_without_it() {
    for architecture in ARCHITECTURES {
        let model = model(&architecture.config());
        let texts = texts();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        for preset in ["gradient-x-input", "ah-ln", "attn-lrp", "gamma"] {
            let plain = explain_together(&explainer(&model, preset), &texts);
            let accounted = explain_together(&explainer(&model, preset).with_ledger(), &texts);
            for (plain, accounted) in plain.iter().zip(&accounted) {
                assert!(plain.ledger().is_none() && plain.layers().is_empty());
                let difference =
                    relprop_testing::difference(&relevance(accounted), &relevance(plain));
                assert!(difference < 1e-5, "{preset}: {difference:.1e}");
                let first: Vec<f32> = accounted.tokens.iter().map(|t| t.relevance).collect();
                assert_eq!(accounted.layers()[0], first);
            }
        }
    }
}

/// What is absorbed, and by what, under the rules of the paper and of its successors.
#[rstest]
#[case("ah", &["bias", "shift", "scale", "activation"])]
#[case("ln", &["bias", "shift", "activation", "softmax", "product"])]
#[case("ah-ln", &["bias", "shift", "activation"])]
#[case("libra", &["bias", "shift"])]
#[case("attn-lrp", &["bias", "shift", "softmax"])]
fn what_a_preset_detaches_absorbs_nothing(#[case] preset: &str, #[case] kinds: &[&str]) {
    let model = model(&Architecture::PostNorm.config());
    for text in texts() {
        let ledger = account(&model, preset, &text);
        let sizes = ledger.absorbed.iter().map(|entry| entry.relevance.abs());
        let largest = sizes.fold(0.0, f64::max);
        for entry in &ledger.absorbed {
            // All else is rounding.
            let expected = kinds.contains(&entry.kind.as_str());
            assert!(
                expected || entry.relevance.abs() < 1e-5 * largest,
                "{entry:?}"
            );
        }
        for kind in kinds {
            let of_kind = ledger.absorbed.iter().filter(|entry| entry.kind == *kind);
            let sum: f64 = of_kind.map(|entry| entry.relevance.abs()).sum();
            // One token has nothing to attend to but itself: its weights cannot change.
            let constant = *kind == "softmax" && text.split(' ').count() == 1;
            assert!(
                constant || sum > 1e-3 * largest,
                "{preset}: {kind} absorbs nothing"
            );
        }
    }
}

/// Read at the word embeddings, the other embeddings have their own entries.
#[test]
fn positions_and_segments_are_entered_where_words_are_read() {
    let model = model(&Architecture::PostNorm.config());
    let explainer = explainer(&model, "ah-ln").with_ledger();
    let explainer = explainer.at("embeddings.word").unwrap();
    let explanation = explainer.explain("a warm , funny film").unwrap();
    let ledger = explanation.ledger().unwrap();
    for site in ["embeddings.position", "embeddings.token-type"] {
        let entry = ledger.absorbed.iter().find(|entry| entry.site == site);
        let entry = entry.unwrap();
        assert_eq!(
            (entry.operation.as_ref(), entry.kind.as_str()),
            (None, "input")
        );
        let at_site = explainer.clone().at(site).unwrap();
        let total = f64::from(at_site.explain("a warm , funny film").unwrap().total());
        assert!((entry.relevance - total).abs() < 1e-5, "{site}: {total}");
    }
}

/// A head passes on what its attention weights hold, as long as the mixture is a plain product.
#[rstest]
#[case("gradient-x-input")]
#[case("ah-ln")]
fn heads_hold_what_their_attention_weights_hold(#[case] preset: &str) {
    let model = model(&Architecture::PostNorm.config());
    let text = "a warm , funny film that never gets dull";
    let explainer = explainer(&model, preset).with_ledger();
    let explainer = explainer.target(Target::Label(1)).unwrap();
    let tokens = [explainer.tokenize(text).unwrap()];
    let explanation = explainer.explain_batch(&tokens).unwrap().remove(0);
    let layers = &explanation.ledger().unwrap().layers;

    let batch = Batch::new(&tokens, 0, PaddingSide::Right, &model.transformer.device());
    let rules = RuleSet::preset(preset).unwrap();
    let rules = rules.bind(&model.transformer.sites(), &Registry::default());
    for (block, layer) in layers.iter().enumerate().take(2) {
        let site = format!("encoder.{block}.attention.weights");
        let bound = rules.as_ref().unwrap();
        let mut pass = Pass::new(bound).with_probe(&site);
        let logits = model.transformer.forward(&batch, &mut pass);
        let target = logits.slice([0..1, 1..2]).sum();
        let held: Tensor<4> = pass.backward(target).take(&site).unwrap();
        let held = relprop_testing::numbers(held.sum_dim(3).sum_dim(2));
        let heads: Vec<f64> = layer.heads.iter().copied().map(f64::from).collect();
        let error = relprop_testing::difference(&heads, &held);
        assert!(error < 1e-4, "{preset}, block {block}: {error:.1e}");
    }
    assert!(layers[2].heads.is_empty());
}

#[test]
fn it_is_read_back_from_json() {
    let model = model(&Architecture::PreNorm.config());
    let explanation = explainer(&model, "ah-ln")
        .with_ledger()
        .explain("warm")
        .unwrap();
    let line = relprop_render::jsonl(std::slice::from_ref(&explanation)).unwrap();
    let read: Explanation = serde_json::from_str(&line).unwrap();
    let (read, written) = (read.ledger().unwrap(), explanation.ledger().unwrap());
    assert_eq!(read.layers.len(), written.layers.len());
    let close = |a: f64, b: f64| assert!((a - b).abs() <= 1e-12 * b.abs(), "{a} is not {b}");
    close(read.unaccounted, written.unaccounted);
    assert_eq!(read.absorbed.len(), written.absorbed.len());
    for (read, written) in read.absorbed.iter().zip(&written.absorbed) {
        assert_eq!(
            (&read.site, &read.operation, &read.kind),
            (&written.site, &written.operation, &written.kind)
        );
        close(read.relevance, written.relevance);
    }
}
