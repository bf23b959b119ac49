//! Explicit propagation as the proof: relevance is walked back through whole Transformers, layer by
//! layer, by the laws of the papers, and is what Gradient x Input gives on the model under the same
//! preset.
//!
//! The walk uses plain tensors, the laws of `relprop_rules::explicit` and the model's parameters. No
//! gradient is taken. The model runs in f64 as well, so the two differ by rounding alone.
//!
//! Errors are the largest difference between the relevances of a text's tokens, in units of the
//! largest of them.

mod block;
mod laws;
mod network;
mod rotation;

use burn::tensor::{DType, Tensor};
use laws::{Laws, PRESETS};
use network::Network;
use relprop_checkpoints::Model;
use relprop_explain::Target;
use relprop_rules::operations::{Activation, Pairs};
use relprop_rules::{Pass, Registry, RuleSet};
use relprop_testing::{
    Architecture, LanguageModel, difference, draw_config, draw_language_config, explainer, numbers,
    parameters, random, relevance, texts,
};
use relprop_transformer::{
    Batch, Branches, Disentangled, FeedForwardConfig, NormPlacement, PaddingSide, PositionBias,
    TokenizedText, Transformer, TransformerConfig,
};
use rstest::rstest;

/// How far the walk may be from the gradient in f64: the worst measured is 6e-12.
const TOLERANCE: f64 = 1e-10;

/// A text, and what is explained of it.
struct Case {
    text: TokenizedText,
    /// The token at which logits are read.
    read: usize,
    target: Target,
}

impl Case {
    /// How much of which logit the target takes.
    fn weights(&self) -> Vec<(usize, f64)> {
        match self.target {
            Target::Label(label) => vec![(label, 1.0)],
            Target::Contrast(label, other) => vec![(label, 1.0), (other, -1.0)],
            Target::Predicted => panic!("name the target"),
        }
    }
}

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

    /// The logit of a label.
    fn case(&self, text: &str, label: usize) -> Case {
        let text = self
            .model
            .tokenizer()
            .unwrap()
            .encode(text, 64, Default::default());
        Case {
            text: text.unwrap(),
            read: 0,
            target: Target::Label(label),
        }
    }

    /// The logit of a token, and the contrast of two, after the last token of each text and after one
    /// in its middle.
    fn cases_of_language(&self, seed: usize) -> Vec<Case> {
        let vocabulary = self.model.transformer.config().vocabulary();
        let case = |text: &TokenizedText, read, target| Case {
            text: TokenizedText {
                position: Some(read),
                ..text.clone()
            },
            read,
            target,
        };
        let of_text = |(index, text): (usize, &String)| {
            let text = self
                .model
                .tokenizer()
                .unwrap()
                .encode(text, 64, Default::default());
            let text = text.unwrap();
            let [token, other] = [7, 100].map(|step| (seed + index) * step % vocabulary);
            let last = text.tokens.len() - 1;
            [
                case(&text, last, Target::Label(token)),
                case(&text, last / 2, Target::Contrast(token, other + 1)),
            ]
        };
        texts().iter().enumerate().flat_map(of_text).collect()
    }

    /// The logits and the relevance of each token, by Gradient x Input under the preset, in f64.
    fn by_gradient(&self, preset: &str, case: &Case) -> (Vec<f64>, Vec<f64>) {
        let device = self.double.device();
        let batch = Batch::new([&case.text], 0, PaddingSide::Right, &device);
        let rules = RuleSet::preset(preset).unwrap();
        let rules = rules
            .bind(&self.double.sites(), &Registry::default())
            .unwrap();
        let mut pass = Pass::new(&rules).with_probe("blocks");
        let logits = self.double.forward(&batch, &mut pass);
        assert_eq!(logits.dtype(), DType::F64);
        let parts = case.weights().into_iter();
        let parts = parts.map(|(label, weight)| logits.clone().narrow(1, label, 1).sum() * weight);
        let target = parts.reduce(|a, b| a + b).unwrap();
        let relevance: Tensor<3> = pass.backward(target).take("blocks").unwrap();
        (numbers(logits), numbers(relevance.sum_dim(2)))
    }

    /// The same, walked back by hand.
    fn by_walk(&self, preset: &str, case: &Case, dtype: DType) -> network::Walk {
        let parameters = parameters(&self.model.transformer);
        let network = Network {
            parameters: &parameters,
            config: self.model.transformer.config(),
            laws: Laws::of(preset),
            dtype,
        };
        let ids: Vec<u32> = case.text.tokens.iter().map(|token| token.id).collect();
        network.explain(&ids, case.read, &case.weights())
    }

    /// The error of the walk under the preset.
    fn error(&self, preset: &str, case: &Case) -> f64 {
        let (logits, tokens) = self.by_gradient(preset, case);
        let walk = self.by_walk(preset, case, DType::F64);
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

    /// How far what a user gets, computed in f32, and the walk in f32 are from the walk in f64.
    fn errors_in_single(&self, preset: &str, case: &Case) -> [f64; 2] {
        let explainer = explainer(&self.model, preset).target(case.target).unwrap();
        let batch = std::slice::from_ref(&case.text);
        let found = relevance(&explainer.explain_batch(batch).unwrap()[0]);
        let walk = self.by_walk(preset, case, DType::F64).tokens;
        let single = self.by_walk(preset, case, DType::F32).tokens;
        [&found, &single].map(|found| difference(found, &walk))
    }

    /// How much of the target the walk loses.
    fn gap(&self, preset: &str, case: &Case) -> f64 {
        let walk = self.by_walk(preset, case, DType::F64);
        let parts = case.weights().into_iter();
        let target: f64 = parts
            .map(|(label, weight)| weight * walk.logits[label])
            .sum();
        let sum: f64 = walk.tokens.iter().sum();
        (sum - target).abs() / target.abs()
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
            .map(|(index, text)| pair.error(preset, &pair.case(text, index % 3)))
            .collect::<Vec<_>>();
        let worst = errors.into_iter().fold(0.0, f64::max);
        println!("{architecture:?} {blocks} {feed_forward} {preset}: {worst:.1e}");
        assert!(worst < TOLERANCE, "{preset}: {worst:.1e}");
    }
}

/// Scores with a bias that is learned for each distance, scores of contents and distances, and one block that
/// is run several times.
#[rstest]
#[case::mpnet(|c: &mut TransformerConfig| {
    c.attention.bias = Some(PositionBias::Learned { buckets: 8, farthest: 13 });
})]
#[case::deberta(|c: &mut TransformerConfig| {
    let (buckets, farthest) = (4, Some(9));
    c.attention.disentangled = Some(Disentangled { buckets, farthest, norm: true });
})]
#[case::deberta_without_buckets(|c: &mut TransformerConfig| {
    let (buckets, farthest) = (5, None);
    c.attention.disentangled = Some(Disentangled { buckets, farthest, norm: false });
})]
#[case::albert(|c: &mut TransformerConfig| c.shared_blocks = true)]
fn the_walk_of_an_encoder_gives_what_the_preset_gives(#[case] change: fn(&mut TransformerConfig)) {
    let mut config = with(Architecture::PostNorm, 3, true);
    change(&mut config);
    let pair = Pair::new(random(&config, 0.3, 5));
    for preset in PRESETS {
        let errors = texts().map(|text| pair.error(preset, &pair.case(&text, 1)));
        let worst = errors.into_iter().fold(0.0, f64::max);
        assert!(worst < TOLERANCE, "{preset}: {worst:.1e}");
    }
}

#[rstest]
fn the_walk_of_any_classifier_gives_what_the_preset_gives(#[values(0, 1, 2, 3)] part: u64) {
    for seed in (0..40).filter(|seed| seed % 4 == part) {
        let config = draw_config(seed);
        let pair = Pair::new(random(&config, 0.3, seed));
        let case = pair.case(&texts()[seed as usize % 4], seed as usize % 3);
        for preset in PRESETS {
            let error = pair.error(preset, &case);
            println!("random {seed} {preset}: {error:.1e}");
            assert!(error < TOLERANCE, "{preset}, {config:?}: {error:.1e}");
        }
    }
}

/// The comparisons above would not pass under just any laws.
#[test]
fn the_laws_of_one_preset_are_not_those_of_another() {
    let pair = Pair::new(random(&with(Architecture::PostNorm, 2, true), 0.3, 2));
    let case = pair.case(&texts()[2], 0);
    for preset in PRESETS {
        let (_, tokens) = pair.by_gradient(preset, &case);
        for other in PRESETS.into_iter().filter(|other| *other != preset) {
            let walk = pair.by_walk(other, &case, DType::F64);
            let error = difference(&walk.tokens, &tokens);
            // The nearest two are `libra` and `epsilon`, whose epsilon is small.
            assert!(error > 1e-5, "{preset} by the laws of {other}: {error:.1e}");
        }
    }
}

/// The worst of [`Pair::errors_in_single`].
fn worst_in_single(pair: &Pair, preset: &str, cases: &[Case]) -> [f64; 2] {
    let errors = cases.iter().map(|case| pair.errors_in_single(preset, case));
    errors.fold([0.0_f64; 2], |worst, errors| {
        [worst[0].max(errors[0]), worst[1].max(errors[1])]
    })
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
        let cases = texts().map(|text| pair.case(&text, 1));
        let [worst, in_single] = worst_in_single(&pair, preset, &cases);
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
    let mut worst = 0.0_f64;
    for text in texts() {
        for label in 0..3 {
            let case = pair.case(&text, label);
            worst = worst.max(pair.gap("libra", &case));
            assert!(pair.gap("gradient-x-input", &case) > 1e-2);
        }
    }
    println!("libra {architecture:?} {blocks} {feed_forward}: {worst:.1e}");
    assert!(worst < 1e-5, "{worst:.1e}");
}

#[rstest]
fn the_walk_from_the_next_token_gives_what_the_preset_gives(
    #[values(
        LanguageModel::Gpt2,
        LanguageModel::Llama,
        LanguageModel::Llama3,
        LanguageModel::Mistral,
        LanguageModel::Qwen2,
        LanguageModel::Qwen3,
        LanguageModel::Gemma,
        LanguageModel::GptNeoX,
        LanguageModel::GptJ,
        LanguageModel::Bloom,
        LanguageModel::Olmo2,
        LanguageModel::Gemma2,
        LanguageModel::Granite
    )]
    family: LanguageModel,
    #[values(1, 3)] blocks: usize,
) {
    let pair = Pair::new(random(&family.of_blocks(blocks), 0.3, blocks as u64));
    let cases = pair.cases_of_language(blocks);
    for preset in PRESETS {
        let errors = cases.iter().map(|case| pair.error(preset, case));
        let worst = errors.fold(0.0, f64::max);
        println!("{family:?} {blocks} {preset}: {worst:.1e}");
        assert!(worst < TOLERANCE, "{preset}: {worst:.1e}");
    }
}

#[rstest]
fn the_walk_of_any_language_model_gives_what_the_preset_gives(#[values(0, 1, 2, 3)] part: u64) {
    for seed in (0..40).filter(|seed| seed % 4 == part) {
        let config = draw_language_config(seed);
        let pair = Pair::new(random(&config, 0.3, seed));
        let case = &pair.cases_of_language(seed as usize)[seed as usize % 8];
        for preset in PRESETS {
            let error = pair.error(preset, case);
            println!("random language model {seed} {preset}: {error:.1e}");
            assert!(error < TOLERANCE, "{preset}, {config:?}: {error:.1e}");
        }
    }
}

/// Every part of a language model matters to the walk: leave one out, and it is another relevance.
#[rstest]
#[case::window(LanguageModel::Mistral, |c: &mut TransformerConfig| c.attention.window = None)]
#[case::rotary(LanguageModel::Llama, |c: &mut TransformerConfig| {
    c.attention.rotary.as_mut().unwrap().theta *= 2.0;
})]
#[case::scaling(LanguageModel::Llama3, |c: &mut TransformerConfig| {
    c.attention.rotary.as_mut().unwrap().scaling = None;
})]
#[case::query_key_norm(LanguageModel::Qwen3, |c: &mut TransformerConfig| {
    c.attention.query_key_norm = false;
})]
#[case::plus_one(LanguageModel::Gemma, |c: &mut TransformerConfig| c.norm.plus_one = false)]
#[case::scaled_embeddings(LanguageModel::Gemma, |c: &mut TransformerConfig| {
    c.scaled_embeddings = false;
})]
#[case::one_norm(LanguageModel::GptNeoX, |c: &mut TransformerConfig| {
    c.branches = Branches::ParallelOneNorm;
})]
#[case::in_turn(LanguageModel::GptNeoX, |c: &mut TransformerConfig| {
    c.branches = Branches::InTurn;
})]
#[case::share_of_features(LanguageModel::GptNeoX, |c: &mut TransformerConfig| {
    c.attention.rotary.as_mut().unwrap().features = None;
})]
#[case::neighbours(LanguageModel::GptJ, |c: &mut TransformerConfig| {
    c.attention.rotary.as_mut().unwrap().pairs = Pairs::Halves;
})]
#[case::norms_after_parts(LanguageModel::Olmo2, |c: &mut TransformerConfig| {
    c.norm_placement = NormPlacement::Before;
})]
#[case::score_cap(LanguageModel::Gemma2, |c: &mut TransformerConfig| c.attention.score_cap = None)]
#[case::logit_cap(LanguageModel::Gemma2, |c: &mut TransformerConfig| c.logit_cap = None)]
#[case::score_factor(LanguageModel::Granite, |c: &mut TransformerConfig| {
    c.attention.score_factor = None;
})]
#[case::branch_factor(LanguageModel::Granite, |c: &mut TransformerConfig| c.branch_factor = None)]
#[case::embedding_factor(LanguageModel::Granite, |c: &mut TransformerConfig| {
    c.embedding_factor = None;
})]
#[case::logit_divisor(LanguageModel::Granite, |c: &mut TransformerConfig| c.logit_divisor = None)]
fn a_walk_without_a_part_is_another(
    #[case] family: LanguageModel,
    #[case] change: fn(&mut TransformerConfig),
) {
    let pair = Pair::new(random(&family.config(), 0.3, 3));
    let mut changed = family.config();
    change(&mut changed);
    let parameters = parameters(&pair.model.transformer);
    // The longest text, after its last token.
    let case = &pair.cases_of_language(1)[6];
    let ids: Vec<u32> = case.text.tokens.iter().map(|token| token.id).collect();
    for preset in PRESETS {
        let network = Network {
            parameters: &parameters,
            config: &changed,
            laws: Laws::of(preset),
            dtype: DType::F64,
        };
        let walk = network.explain(&ids, case.read, &case.weights());
        let (_, tokens) = pair.by_gradient(preset, case);
        let error = difference(&walk.tokens, &tokens);
        assert!(error > 1e-3, "{preset}: {error:.1e}");
    }
}

#[rstest]
fn next_tokens_are_explained_by_the_walk_up_to_the_rounding_of_f32(
    #[values(
        LanguageModel::Gpt2,
        LanguageModel::Mistral,
        LanguageModel::Qwen3,
        LanguageModel::Gemma
    )]
    family: LanguageModel,
) {
    let pair = Pair::new(random(&family.config(), 0.3, 7));
    for preset in PRESETS {
        let cases = pair.cases_of_language(7);
        let [worst, in_single] = worst_in_single(&pair, preset, &cases);
        println!("f32 {family:?} {preset}: {worst:.1e}, walk in f32 {in_single:.1e}");
        // The worst measured are 1.0e-4, under `gamma`, which weighs contributions by the sign of their
        // sum, and 1.4e-4 of the walk, which divides by queries and keys that may be near zero.
        assert!(worst < 1e-3, "{preset}: {worst:.1e}");
        assert!(in_single < 1e-3, "{preset}, walk in f32: {in_single:.1e}");
    }
}

/// A Llama has no biases and no betas: under `libra` nothing absorbs.
#[rstest]
fn the_walk_of_libra_ends_with_the_logit_or_the_contrast(
    #[values(
        LanguageModel::Llama,
        LanguageModel::Mistral,
        LanguageModel::Qwen3,
        LanguageModel::Gemma
    )]
    family: LanguageModel,
) {
    let pair = Pair::new(random(&family.config(), 0.0, 11));
    let mut worst = 0.0_f64;
    for case in pair.cases_of_language(11) {
        worst = worst.max(pair.gap("libra", &case));
        assert!(pair.gap("gradient-x-input", &case) > 1e-2);
    }
    println!("libra {family:?}: {worst:.1e}");
    assert!(worst < 1e-5, "{worst:.1e}");
}
