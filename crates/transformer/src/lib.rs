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
mod head;
mod model;
mod picture;
mod text;

pub use batch::{Batch, BatchInput, PaddingSide};
pub use config::{
    AttentionConfig, Biases, ConfigError, Distillation, FeedForwardConfig, InputConfig, NormConfig,
    NormPlacement, PATCH_HIDDEN, PATCH_VISIBLE, PatchConfig, RotaryConfig, RotaryScaling,
    TransformerConfig,
};
pub use head::{AnswersAt, Head, Outputs, Probabilities, Targets};
pub use model::{ParameterPath, Transformer};
pub use picture::Picture;
pub use text::{Content, TextEnd, Token, TokenizedText};
