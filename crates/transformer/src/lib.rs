//! A Transformer whose every operation takes a propagation rule.
//!
//! The model is written once, over [`relprop_rules::Pass`]: the same forward code trains it, runs
//! it and explains it. Its parts are chosen by a [`TransformerConfig`]; a [`Family`] says how they
//! are called in a Hugging Face folder.
//!
//! # Axes
//!
//! `batch`: texts, or pictures. `position`: tokens of a text, padding included; of a picture, its
//! patches, after the class token. `feature`: the width of a hidden
//! state. `head`, `query`, `key`: inside attention.

mod batch;
mod checkpoint;
mod config;
mod model;
mod picture;
mod process;
mod tokenizer;

pub use batch::{Batch, PaddingSide};
#[cfg(feature = "hub")]
pub use checkpoint::HubError;
pub use checkpoint::{CheckpointError, Family, HubName, Model, NoHubName, sha256};
pub use config::{
    AttentionConfig, Biases, ConfigError, Distillation, FeedForwardConfig, HIDDEN, Head,
    NormConfig, NormPlacement, PatchConfig, RotaryConfig, RotaryScaling, SHOWN, TransformerConfig,
};
pub use model::Transformer;
pub use picture::{Filter, Picture, PictureError, Preprocessor, decode};
pub use process::prepare_process;
pub use tokenizer::{TextError, Token, TokenizedText, Tokenizer, Truncation};
