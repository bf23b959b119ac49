//! Command R7B and A (Cohere 2024), as a language model: a Cohere in which three of four blocks have a window, and the others
//! know no positions.

use super::{bert, cohere, heads, llama, ministral};
use crate::Family;
use crate::family::Keys;
use crate::keys::{Key, KeyError, blocks, rotary, size};
use relprop_transformer::TransformerConfig;
use serde_json::{Value, json};

/// Cohere 2.
pub static COHERE2: Family = Family {
    name: "cohere2",
    architecture: Some("Cohere2ForCausalLM"),
    start,
    keys: KEYS,
    ignored_keys: &[],
    ..llama::LLAMA
};

/// Cohere 2 that makes a vector of a text.
pub static VECTOR: Family = Family {
    architecture: Some("Cohere2Model"),
    start: || heads::vector(start()),
    tensors: &[bert::DENSE, llama::TENSORS],
    ..COHERE2
};

const KEYS: &[Keys] = &[llama::KEYS, cohere::PARTS, rotary::KEYS, WINDOWS];

const WINDOWS: Keys = &[
    ("sliding_window", ministral::WINDOW),
    ("sliding_window_pattern", PATTERN),
    ("layer_types", TYPES),
];

/// Every so many blocks, one looks at all tokens, where no list says which.
const PATTERN: Key = Key::Derived {
    read: |config, value| {
        let pattern = match value {
            None | Some(Value::Null) => 4,
            Some(value) => size(value)?,
        };
        if pattern == 0 {
            return Err(KeyError::must_be(&json!(0), "at least 1"));
        }
        blocks::read_layer_types(config, None, |index| !(index + 1).is_multiple_of(pattern))
    },
    write: |_| json!(4),
};

/// The kinds of blocks. Those that look at all tokens know no positions.
const TYPES: Key = Key::Derived {
    read: |config, value| {
        if let Some(list) = value.filter(|value| !value.is_null()) {
            // The window was handed to blocks by the pattern.
            config.attention.window = blocks::window(config);
            blocks::read_layer_types(config, Some(list), |_| false)?;
        }
        blocks::turn_windows_alone(config);
        Ok(())
    },
    write: blocks::write_layer_types,
};

fn start() -> TransformerConfig {
    let mut config = cohere::start();
    config.attention.window = Some(4096);
    if let Some(rotary) = &mut config.attention.rotary {
        rotary.theta = 10_000.0;
    }
    config
}
