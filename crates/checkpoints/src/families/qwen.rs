//! Qwen2 and Qwen3 (Yang et al. 2024, 2025), as language models: Llamas, the first with biases where
//! queries, keys and values are made, the second with norms there.

use super::{bert, llama};
use crate::Family;
use crate::family::Keys;
use crate::keys::{Key, KeyError};
use relprop_transformer::{Biases, InputConfig, TransformerConfig};
use serde_json::{Value, json};

/// Qwen2.
pub static QWEN2: Family = Family {
    name: "qwen2",
    architecture: Some("Qwen2ForCausalLM"),
    start: start_of_2,
    keys: &[llama::KEYS, PARTS_OF_2, WINDOW],
    ignored_keys: UNUSED,
    ..llama::LLAMA
};

/// Qwen3.
pub static QWEN3: Family = Family {
    name: "qwen3",
    architecture: Some("Qwen3ForCausalLM"),
    start: start_of_3,
    keys: &[llama::KEYS, llama::PARTS, WINDOW, BIAS],
    ignored_keys: UNUSED,
    ..llama::LLAMA
};

/// The sizes of a window that is off.
const UNUSED: &[&str] = &["sliding_window", "max_window_layers", "use_mrope"];

/// Every block looks at all tokens.
const WINDOW: Keys = &[
    ("use_sliding_window", Key::Only("false")),
    (
        "layer_types",
        Key::Custom {
            required: false,
            read: |_, value| {
                let types = value.as_array().map_or(&[][..], Vec::as_slice);
                match types.iter().find(|kind| *kind != "full_attention") {
                    None => Ok(()),
                    Some(kind) => Err(KeyError::only(kind, "`full_attention`")),
                }
            },
            write: |_| Value::Null,
        },
    ),
];

/// Its configuration has no width of a head, unless it is an unusual one.
const PARTS_OF_2: Keys = &[
    (
        "head_dim",
        Key::Custom {
            required: false,
            read: llama::read_head_width,
            write: |config| json!(config.attention.head_width),
        },
    ),
    ("hidden_act", llama::ACTIVATION),
];

const BIAS: Keys = &[("attention_bias", llama::ATTENTION_BIAS)];

/// What both take where a file is silent.
fn sizes() -> TransformerConfig {
    let mut config = bert::sizes(llama::start(), [4096, 32, 32, 22016, 32768]);
    config.input = InputConfig::Tokens {
        vocabulary: 151_936,
    };
    config.attention.key_heads = Some(32);
    config
}

fn start_of_2() -> TransformerConfig {
    TransformerConfig {
        biases: Biases {
            attention: true,
            ..Biases::NONE
        },
        ..sizes()
    }
}

fn start_of_3() -> TransformerConfig {
    let mut config = sizes();
    config.attention.head_width = Some(128);
    config.attention.query_key_norm = true;
    config
}
