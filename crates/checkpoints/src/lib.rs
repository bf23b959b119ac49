#![doc = include_str!("../README.md")]

mod adapter;
#[cfg(test)]
mod changes;
mod chat;
mod error;
pub mod families;
mod family;
mod files;
mod foreign;
mod gguf;
mod hub;
mod json;
pub mod keys;
mod load;
mod model;
mod names;
mod open_clip;
mod output;
mod picture;
mod quantized;
mod save;
mod timm;
mod tokenizer;
mod towers;
mod vector;
mod weights;

pub use chat::{ChatError, messages};
pub use error::CheckpointError;
pub use family::{Condition, Family, Keys, Names};
pub use files::{Files, SETTINGS_FILES, TOKENIZER_FILES, sha256};
pub use foreign::REFUSED_TYPES;
#[cfg(feature = "hub")]
pub use hub::HubError;
pub use hub::{HubName, NoHubName};
pub use model::{Input, Model};
pub use output::Writing;
pub use picture::{Filter, PictureError, Preprocessor, Resize};
pub use tokenizer::{TextError, Tokenizer, Truncation};
pub use towers::{Pair, Towers};
pub use weights::WEIGHT_FILES;
