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
mod pair;
mod part;
mod pooling;
mod rotation;
mod two_stacks;
mod windows;

use laws::{Laws, PRESETS};
use network::{ENCODER, Network};
use pair::{Case, Pair};
use relprop_explain::Target;
use relprop_rules::operations::{Activation, Pairs};
use relprop_testing::{
    Architecture, Draw, LanguageModel, difference, draw_config, draw_language_config, parameters,
    random, texts,
};
use relprop_transformer::{
    Branches, Dense, Disentangled, FeedForwardConfig, Head, InputConfig, NormPlacement,
    PatchConfig, Picture, Placed, PositionBias, RotaryConfig, Stages, TransformerConfig,
    VectorPooling,
};
use rstest::rstest;

/// How far the walk may be from the gradient in f64: the worst measured is 6e-12.
const TOLERANCE: f64 = 1e-10;

fn with(architecture: Architecture, blocks: usize, feed_forward: bool) -> TransformerConfig {
    let config = architecture.config();
    let part = FeedForwardConfig {
        width: 48,
        activation: Activation::Gelu,
        gated: false,
        clip: None,
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
    c.attention.bias = Some(PositionBias::Learned { buckets: 8, farthest: 13, alone: false, by_block: false });
})]
#[case::deberta(|c: &mut TransformerConfig| {
    let (buckets, farthest) = (4, Some(9));
    c.attention.disentangled = Some(Disentangled { buckets, farthest, norm: true, own_maps: false });
})]
#[case::deberta_without_buckets(|c: &mut TransformerConfig| {
    let (buckets, farthest) = (5, None);
    c.attention.disentangled = Some(Disentangled { buckets, farthest, norm: false, own_maps: false });
})]
#[case::deberta_1(|c: &mut TransformerConfig| {
    let (buckets, farthest) = (5, None);
    c.attention.disentangled = Some(Disentangled { buckets, farthest, norm: false, own_maps: true });
    c.biases.unbiased_keys = true;
})]
#[case::gte(|c: &mut TransformerConfig| {
    c.attention.rotary = Some(RotaryConfig::new(100.0));
    c.feed_forward.as_mut().unwrap().gated = true;
    c.biases.unbiased_up = true;
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

/// Pictures: learned factors of parts, a bias for each distance on the grid, the mean of the patches by a norm after it, and
/// the class token beside the mean; and attention within windows, and four tokens that become one.
#[rstest]
#[case::vit(|_: &mut TransformerConfig| {})]
#[case::dinov2(|c: &mut TransformerConfig| {
    c.layer_scale = true;
    c.head = Head::LabelsOfBoth;
})]
#[case::beit(|c: &mut TransformerConfig| {
    c.layer_scale = true;
    c.attention.bias = Some(PositionBias::Grid);
    c.biases.unbiased_keys = true;
    c.norm_after_pooling = true;
    c.head = Head::LabelsOfPatches;
})]
#[case::clip(|c: &mut TransformerConfig| {
    c.feed_forward.as_mut().unwrap().activation = Activation::QuickGelu;
    c.embedding_norm = Some(c.norm);
    let dense = Some(Dense { width: 5, bias: false, activation: None });
    (c.head, c.labels) = (vector(VectorPooling::First, dense), Vec::new());
})]
#[case::two_maps(|c: &mut TransformerConfig| {
    let dense = |width| Some(Dense { width, bias: false, activation: None });
    (c.head, c.labels) = (vector(VectorPooling::First, dense(7)), Vec::new());
    if let Head::Vector { second, .. } = &mut c.head {
        *second = dense(5);
    }
})]
#[case::siglip(|c: &mut TransformerConfig| {
    c.feed_forward.as_mut().unwrap().activation = Activation::GeluTanh;
    (c.head, c.labels) = (vector(VectorPooling::Attention, None), Vec::new());
})]
#[case::swin(|c: &mut TransformerConfig| {
    // A grid of 5 x 6 patches in windows of 3 x 3, every other time moved by one, then one of 3 x 3.
    let patches = PatchConfig {
        unclassed: true,
        placed: Placed::Nothing,
        ..PatchConfig::new([10, 18], [2, 3], 3)
    };
    c.input = InputConfig::Patches(patches);
    c.positions = patches.positions();
    c.attention.bias = Some(PositionBias::Grid);
    c.head = Head::LabelsOfMean;
    let (blocks, heads) = (vec![2, 1], vec![2, 4]);
    c.stages = Some(Stages { blocks, heads, window: 3 });
})]
fn the_walk_of_pictures_gives_what_the_preset_gives(#[case] change: fn(&mut TransformerConfig)) {
    // Shares of 8 patches are exact, also where they are written as f32.
    let patches = PatchConfig::new([4, 12], [2, 3], 3);
    let mut config = TransformerConfig {
        width: 16,
        blocks: 3,
        heads: 4,
        ..TransformerConfig::vit(patches, ["a", "b", "c"].map(str::to_owned).to_vec())
    };
    change(&mut config);
    let pair = Pair::new(random(&config, 0.3, 5));
    let mut draw = Draw::new(7);
    for label in 0..3 {
        let patches = *config.patches().unwrap();
        let [height, width] = patches.picture;
        let pixels: Vec<f32> = (0..3 * height * width).map(|_| draw.number()).collect();
        let case = Case {
            text: Picture::cut(&pixels, patches).into_tokens("waves"),
            read: 0,
            target: Target::Label(label),
        };
        for preset in PRESETS {
            let error = pair.error(preset, &case);
            assert!(error < TOLERANCE, "{preset}: {error:.1e}");
        }
    }
}

/// A vector that is not normalized.
fn vector(pooling: VectorPooling, dense: Option<Dense>) -> Head {
    Head::Vector {
        pooling,
        dense,
        second: None,
        normalized: false,
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
            let walk = pair.by_walk(other, &case);
            let error = difference(&walk.tokens, &tokens);
            // The nearest two are `libra` and `epsilon`, whose epsilon is small.
            assert!(error > 1e-5, "{preset} by the laws of {other}: {error:.1e}");
        }
    }
}

/// The worst of [`Pair::error_in_single`].
fn worst_in_single(pair: &Pair, preset: &str, cases: &[Case]) -> f64 {
    let errors = cases.iter().map(|case| pair.error_in_single(preset, case));
    errors.fold(0.0, f64::max)
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
        let worst = worst_in_single(&pair, preset, &cases);
        println!("f32 {architecture:?} {preset}: {worst:.1e}");
        assert!(worst < 1e-4, "{preset}: {worst:.1e}");
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
        LanguageModel::Granite,
        LanguageModel::GptOss,
        LanguageModel::Falcon
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
#[case::sinks(LanguageModel::GptOss, |c: &mut TransformerConfig| c.attention.sinks = false)]
#[case::clip(LanguageModel::GptOss, |c: &mut TransformerConfig| {
    c.feed_forward.as_mut().unwrap().clip = None;
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
            stack: ENCODER,
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
        let worst = worst_in_single(&pair, preset, &cases);
        println!("f32 {family:?} {preset}: {worst:.1e}");
        // The worst measured is 1.0e-4, under `gamma`, which weighs contributions by the sign of their sum.
        assert!(worst < 1e-3, "{preset}: {worst:.1e}");
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
