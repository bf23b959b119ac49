//! Granite 3 (Granite Team, IBM 2024), as a language model: a Llama with four factors.

use super::{bert, heads, llama};
use crate::Family;
use crate::family::Keys;
use crate::keys::{Key, number, rotary};
use relprop_transformer::TransformerConfig;
use serde_json::json;

/// Granite.
pub static GRANITE: Family = Family {
    name: "granite",
    architecture: Some("GraniteForCausalLM"),
    start,
    keys: &[
        llama::KEYS,
        llama::NORM,
        rotary::KEYS,
        llama::OWN_PARTS,
        llama::BIASES,
        FACTORS,
    ],
    ignored_keys: &[],
    ..llama::LLAMA
};

/// Granite that makes a vector of a text.
pub static VECTOR: Family = Family {
    architecture: Some("GraniteModel"),
    start: || heads::vector(start()),
    keys: &[
        llama::KEYS,
        llama::NORM,
        rotary::KEYS,
        llama::OWN_PARTS,
        llama::BIASES,
        FACTORS,
    ],
    tensors: &[bert::DENSE, llama::TENSORS],
    ..GRANITE
};

const FACTORS: Keys = &[
    (
        "embedding_multiplier",
        Key::Custom {
            required: false,
            read: |config, value| {
                config.embedding_factor = other_than_one(number(value)?);
                Ok(())
            },
            write: |config| json!(config.embedding_factor.unwrap_or(1.0)),
        },
    ),
    (
        "residual_multiplier",
        Key::Custom {
            required: false,
            read: |config, value| {
                config.branch_factor = other_than_one(number(value)?);
                Ok(())
            },
            write: |config| json!(config.branch_factor.unwrap_or(1.0)),
        },
    ),
    (
        "attention_multiplier",
        Key::Custom {
            required: false,
            read: |config, value| {
                config.attention.score_factor = Some(number(value)?);
                Ok(())
            },
            write: |config| json!(config.attention.score_factor),
        },
    ),
    (
        "logits_scaling",
        Key::Custom {
            required: false,
            read: |config, value| {
                config.logit_divisor = other_than_one(number(value)?);
                Ok(())
            },
            write: |config| json!(config.logit_divisor.unwrap_or(1.0)),
        },
    ),
];

fn other_than_one(number: f64) -> Option<f64> {
    (number != 1.0).then_some(number)
}

/// Scores are not divided by the width of a head: they have their factor instead.
fn start() -> TransformerConfig {
    let mut config = bert::sizes(llama::start(), [4096, 32, 32, 11008, 2048]);
    config.attention.score_factor = Some(1.0);
    config
}
