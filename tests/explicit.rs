//! Explicit propagation as the proof: relevance is walked back through whole Transformers, layer by
//! layer, by the laws of the papers, and is what Gradient x Input gives on the model under the same
//! preset.
//!
//! The walk uses plain tensors, the laws of `relprop_rules::explicit` and the model's parameters. No
//! gradient is taken. The model runs in f64 as well, so the two differ by rounding alone.
//!
//! Errors are the largest difference between the relevances of a text's tokens, in units of the
//! largest of them.

mod common;
#[path = "explicit/laws.rs"]
mod laws;
#[path = "explicit/network.rs"]
mod network;

use burn::tensor::{DType, Tensor};
use common::{
    Architecture, difference, draw_config, explainer, numbers, parameters, random, relevance, texts,
};
use laws::{Laws, PRESETS};
use network::Network;
use relprop_explain::Target;
use relprop_rules::operations::Activation;
use relprop_rules::{Pass, Registry, RuleSet};
use relprop_transformer::{
    Batch, FeedForwardConfig, Model, PaddingSide, Transformer, TransformerConfig,
};
use rstest::rstest;

/// How far the walk may be from the gradient in f64: the worst measured is 7e-13.
const TOLERANCE: f64 = 1e-10;

/// A model, and the same model in f64.
struct Pair {
    model: Model,
    double: Transformer,
}

impl Pair {
    fn new(model: Model) -> Self {
        let double = model.transformer.clone().cast(DType::F64);
        Self { model, double }
    }

    fn ids(&self, text: &str) -> Vec<u32> {
        let text = self.model.tokenizer.encode(text, 64, Default::default());
        text.unwrap().tokens.iter().map(|token| token.id).collect()
    }

    /// The logits and the relevance of each token, by Gradient x Input under the preset, in f64.
    fn by_gradient(&self, preset: &str, text: &str, label: usize) -> (Vec<f64>, Vec<f64>) {
        let device = self.double.device();
        let text = self.model.tokenizer.encode(text, 64, Default::default());
        let batch = Batch::new([&text.unwrap()], 0, PaddingSide::Right, &device);
        let rules = RuleSet::preset(preset).unwrap();
        let rules = rules
            .bind(&self.double.sites(), &Registry::default())
            .unwrap();
        let mut pass = Pass::new(&rules).with_probe("blocks");
        let logits = self.double.forward(&batch, &mut pass);
        assert_eq!(logits.dtype(), DType::F64);
        let target = logits.clone().slice([0..1, label..label + 1]).sum();
        let relevance: Tensor<3> = pass.backward(target).take("blocks").unwrap();
        (numbers(logits), numbers(relevance.sum_dim(2)))
    }

    /// The same, walked back by hand.
    fn by_walk(&self, preset: &str, text: &str, label: usize, dtype: DType) -> network::Walk {
        let parameters = parameters(&self.model.transformer);
        let network = Network {
            parameters: &parameters,
            config: self.model.transformer.config(),
            laws: Laws::of(preset),
            dtype,
        };
        network.explain(&self.ids(text), label)
    }

    /// The error of the walk under the preset.
    fn error(&self, preset: &str, text: &str, label: usize) -> f64 {
        let (logits, tokens) = self.by_gradient(preset, text, label);
        let walk = self.by_walk(preset, text, label, DType::F64);
        let forward = difference(&walk.logits, &logits);
        assert!(forward < 1e-12, "the forward passes differ: {forward:.1e}");
        let numbers = || tokens.iter().chain(&walk.tokens);
        assert!(numbers().all(|relevance| relevance.is_finite()), "{preset}");
        // z-plus drops all of a logit that only negative contributions make.
        if numbers().all(|relevance| *relevance == 0.0) {
            return 0.0;
        }
        difference(&walk.tokens, &tokens)
    }
}

fn with(architecture: Architecture, blocks: usize, feed_forward: bool) -> TransformerConfig {
    let config = architecture.config();
    let part = FeedForwardConfig {
        width: 48,
        activation: Activation::Gelu,
        gated: false,
    };
    TransformerConfig {
        blocks,
        feed_forward: feed_forward.then(|| config.feed_forward.unwrap_or(part)),
        ..config
    }
}

#[rstest]
fn walking_back_by_hand_gives_the_relevance_of_the_preset(
    #[values(
        Architecture::PostNorm,
        Architecture::PreNorm,
        Architecture::AttentionOnly
    )]
    architecture: Architecture,
    #[values(1, 2, 3, 4)] blocks: usize,
    #[values(false, true)] feed_forward: bool,
) {
    let config = with(architecture, blocks, feed_forward);
    let pair = Pair::new(random(&config, 0.3, blocks as u64));
    for preset in PRESETS {
        let errors = texts()
            .iter()
            .enumerate()
            .map(|(index, text)| pair.error(preset, text, index % 3))
            .collect::<Vec<_>>();
        let worst = errors.into_iter().fold(0.0, f64::max);
        println!("{architecture:?} {blocks} {feed_forward} {preset}: {worst:.1e}");
        assert!(worst < TOLERANCE, "{preset}: {worst:.1e}");
    }
}

#[rstest]
fn so_it_does_for_models_of_any_parts(#[values(0, 1, 2, 3)] part: u64) {
    for seed in (0..40).filter(|seed| seed % 4 == part) {
        let config = draw_config(seed);
        let pair = Pair::new(random(&config, 0.3, seed));
        let text = &texts()[seed as usize % 4];
        for preset in PRESETS {
            let error = pair.error(preset, text, seed as usize % 3);
            println!("random {seed} {preset}: {error:.1e}");
            assert!(error < TOLERANCE, "{preset}, {config:?}: {error:.1e}");
        }
    }
}

/// The comparisons above would not pass under just any laws.
#[test]
fn the_laws_of_one_preset_are_not_those_of_another() {
    let pair = Pair::new(random(&with(Architecture::PostNorm, 2, true), 0.3, 2));
    let text = &texts()[2];
    for preset in PRESETS {
        let (_, tokens) = pair.by_gradient(preset, text, 0);
        for other in PRESETS.into_iter().filter(|other| *other != preset) {
            let walk = pair.by_walk(other, text, 0, DType::F64);
            let error = difference(&walk.tokens, &tokens);
            // The nearest two are `libra` and `epsilon`, whose epsilon is small.
            assert!(error > 1e-5, "{preset} by the laws of {other}: {error:.1e}");
        }
    }
}

/// What a user gets is computed in f32.
#[rstest]
fn explanations_are_the_walk_up_to_the_rounding_of_f32(
    #[values(
        Architecture::PostNorm,
        Architecture::PreNorm,
        Architecture::AttentionOnly
    )]
    architecture: Architecture,
) {
    let pair = Pair::new(random(&architecture.config(), 0.3, 7));
    for preset in PRESETS {
        let explainer = explainer(&pair.model, preset);
        let explainer = explainer.target(Target::Label(1)).unwrap();
        let [mut worst, mut in_single] = [0.0_f64; 2];
        for text in texts() {
            let found = relevance(&explainer.explain(&text).unwrap());
            let walk = pair.by_walk(preset, &text, 1, DType::F64).tokens;
            worst = worst.max(difference(&found, &walk));
            let single = pair.by_walk(preset, &text, 1, DType::F32).tokens;
            in_single = in_single.max(difference(&single, &walk));
        }
        println!("f32 {architecture:?} {preset}: {worst:.1e}, walk in f32 {in_single:.1e}");
        assert!(worst < 1e-4, "{preset}: {worst:.1e}");
        // No law divides by numbers so small that the walk itself would ask for f64.
        assert!(in_single < 1e-4, "{preset}, walk in f32: {in_single:.1e}");
    }
}

/// Nothing absorbs where there is no bias, no beta, and activations hand relevance through.
#[rstest]
fn without_biases_the_walk_of_libra_ends_with_the_logit(
    #[values(
        Architecture::PostNorm,
        Architecture::PreNorm,
        Architecture::AttentionOnly
    )]
    architecture: Architecture,
    #[values(1, 4)] blocks: usize,
    #[values(false, true)] feed_forward: bool,
) {
    let config = with(architecture, blocks, feed_forward);
    let pair = Pair::new(random(&config, 0.0, 11));
    let gap = |preset: &str, label: usize, text: &str| {
        let walk = pair.by_walk(preset, text, label, DType::F64);
        let sum: f64 = walk.tokens.iter().sum();
        (sum - walk.logits[label]).abs() / walk.logits[label].abs()
    };
    let mut worst = 0.0_f64;
    for text in texts() {
        for label in 0..3 {
            worst = worst.max(gap("libra", label, &text));
            assert!(gap("gradient-x-input", label, &text) > 1e-2);
        }
    }
    println!("libra {architecture:?} {blocks} {feed_forward}: {worst:.1e}");
    assert!(worst < 1e-5, "{worst:.1e}");
}
