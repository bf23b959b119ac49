//! Ministral (Mistral AI 2024), as a language model: a Mistral in which some blocks may look at all tokens.

use super::{llama, mistral};
use crate::Family;
use crate::family::Keys;
use crate::keys::{Key, blocks, rotary, size};
use serde_json::{Value, json};

/// Ministral.
pub static MINISTRAL: Family = Family {
    name: "ministral",
    architecture: Some("MinistralForCausalLM"),
    start: mistral::start,
    keys: &[
        llama::KEYS,
        llama::NORM,
        rotary::KEYS,
        llama::PARTS,
        WINDOWS,
    ],
    ignored_keys: &[],
    ..llama::LLAMA
};

const WINDOWS: Keys = &[("sliding_window", WINDOW), ("layer_types", TYPES)];

/// How many tokens a token looks at, in the blocks that have a window.
pub const WINDOW: Key = Key::Derived {
    read: |config, value| {
        match value {
            None => {}
            Some(Value::Null) => config.attention.window = None,
            Some(value) => config.attention.window = Some(size(value)?),
        }
        Ok(())
    },
    write: |config| json!(blocks::window(config)),
};

/// The blocks that have one: all.
const TYPES: Key = Key::Derived {
    read: |config, value| blocks::read_layer_types(config, value, |_| true),
    write: blocks::write_layer_types,
};
