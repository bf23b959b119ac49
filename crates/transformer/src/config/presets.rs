//! The usual configurations to start from.

use relprop_rules::operations::{Activation, NormScale};

use crate::{Head, Probabilities};

use super::{
    AttentionConfig, Biases, Branches, FeedForwardConfig, InputConfig, NormConfig, NormPlacement,
    PATCH_HIDDEN, PatchConfig, RotaryConfig, TransformerConfig,
};

impl TransformerConfig {
    /// A small BERT: 2 blocks of width 128, feed-forward 512, exact GELU, tanh pooler.
    pub fn bert(vocabulary: usize, labels: Vec<String>) -> Self {
        let norm = NormConfig {
            scale: NormScale::InsideRoot(1e-12),
            affine: true,
            plus_one: false,
            unshifted: false,
        };
        Self {
            input: InputConfig::Tokens { vocabulary },
            positions: 128,
            first_position: 0,
            counted_padding: false,
            filled: false,
            sinusoids: None,
            decoder: None,
            token_types: 2,
            tasks: 0,
            padding_token: 0,
            width: 128,
            embedding_width: None,
            projected_words: false,
            blocks: 2,
            stages: None,
            shared_blocks: false,
            scaled_embeddings: false,
            embedding_factor: None,
            dropped_token: None,
            branch_factor: None,
            layer_scale: false,
            logit_divisor: None,
            logit_cap: None,
            heads: 4,
            scaled_attention: true,
            bare_first_block: false,
            attention: AttentionConfig::default(),
            attention_by_block: Vec::new(),
            rotary_factors: None,
            experts: None,
            dense_blocks: Vec::new(),
            biases: Biases::default(),
            feed_forward: Some(FeedForwardConfig {
                width: 512,
                activation: Activation::Gelu,
                gated: false,
                clip: None,
            }),
            embedding_norm: Some(norm),
            norm,
            norm_placement: NormPlacement::After,
            norm_after_pooling: false,
            branches: Branches::InTurn,
            pooler: Some(Activation::Tanh),
            pooler_first: false,
            pooler_norm: false,
            unbiased_head: false,
            head: Head::Labels,
            probabilities: Probabilities::Softmax,
            labels,
            dropout: 0.1,
            attention_dropout: 0.1,
            initializer_range: 0.02,
        }
    }

    /// The model of Ali et al. 2022 as released, at a small size: attention blocks without a
    /// feed-forward part, scores that are not scaled, norms without factor and shift whose epsilon
    /// stands outside the root.
    pub fn attention_only(vocabulary: usize, labels: Vec<String>) -> Self {
        Self {
            blocks: 3,
            scaled_attention: false,
            feed_forward: None,
            norm: NormConfig {
                scale: NormScale::OutsideRoot(1e-12),
                affine: false,
                plus_one: false,
                unshifted: false,
            },
            ..Self::bert(vocabulary, labels)
        }
    }

    /// A small Llama: 2 blocks of width 128 with rotary positions, RMSNorm and a gated feed-forward
    /// part, and a head that shares the word embeddings.
    pub fn llama(vocabulary: usize) -> Self {
        Self {
            token_types: 0,
            attention: AttentionConfig {
                causal: true,
                rotary: Some(RotaryConfig::new(10_000.0)),
                ..AttentionConfig::default()
            },
            biases: Biases::NONE,
            feed_forward: Some(FeedForwardConfig {
                width: 384,
                activation: Activation::Silu,
                gated: true,
                clip: None,
            }),
            embedding_norm: None,
            norm: NormConfig {
                scale: NormScale::RootMeanSquare(1e-6),
                affine: true,
                plus_one: false,
                unshifted: false,
            },
            norm_placement: NormPlacement::Before,
            pooler: None,
            head: Head::NextToken { tied: true },
            dropout: 0.0,
            attention_dropout: 0.0,
            ..Self::bert(vocabulary, Vec::new())
        }
    }

    /// A ViT (Dosovitskiy et al. 2021) of the sizes of [`TransformerConfig::bert`], with a class token
    /// and norms before each part.
    pub fn vit(patches: PatchConfig, labels: Vec<String>) -> Self {
        Self {
            input: InputConfig::Patches(patches),
            positions: patches.positions(),
            token_types: 0,
            padding_token: PATCH_HIDDEN,
            embedding_norm: None,
            norm_placement: NormPlacement::Before,
            pooler: None,
            ..Self::bert(0, labels)
        }
    }
}
