//! A Transformer whose every operation takes a propagation rule.
//!
//! The model is written once, over [`relprop_rules::Pass`]: the same forward code trains it, runs
//! it and explains it. Its parts are chosen by a [`TransformerConfig`].
//!
//! # Axes
//!
//! `batch`: texts, or pictures. `position`: tokens of a text, padding included; of a picture, its
//! patches, after the class token. `feature`: the width of a hidden
//! state. `head`, `query`, `key`: inside attention.

mod batch;
mod config;
mod model;
mod picture;
mod text;

pub use batch::{Batch, PaddingSide};
pub use config::{
    AttentionConfig, Biases, ConfigError, Distillation, FeedForwardConfig, HIDDEN, Head,
    NormConfig, NormPlacement, PatchConfig, RotaryConfig, RotaryScaling, SHOWN, TransformerConfig,
};
pub use model::Transformer;
pub use picture::Picture;
pub use text::{Token, TokenizedText};
