//! Command R and Aya (Cohere 2024), as a language model: a Llama with LayerNorm without a shift, whose parts stand side by
//! side, and that turns neighboring features.

use super::{bert, heads, llama, starcoder2};
use crate::Family;
use crate::family::Keys;
use crate::keys::{EPSILON, Key, KeyError, number, rotary};
use relprop_rules::operations::Pairs;
use relprop_transformer::{
    Branches, Head, InputConfig, NormConfig, RotaryConfig, TransformerConfig,
};
use serde_json::json;

/// Cohere.
pub static COHERE: Family = Family {
    name: "cohere",
    architecture: Some("CohereForCausalLM"),
    start,
    keys: KEYS,
    ignored_keys: &[],
    ..llama::LLAMA
};

/// Cohere that makes a vector of a text.
pub static VECTOR: Family = Family {
    architecture: Some("CohereModel"),
    start: || heads::vector(start()),
    tensors: &[bert::DENSE, llama::TENSORS],
    ..COHERE
};

const KEYS: &[Keys] = &[llama::KEYS, PARTS, rotary::KEYS, OWN];

/// What both versions say in the same words.
pub const PARTS: Keys = &[
    ("layer_norm_eps", EPSILON),
    ("head_dim", llama::OWN_HEAD_WIDTH),
    ("hidden_act", llama::ACTIVATION),
    ("attention_bias", llama::ATTENTION_BIAS),
    ("logit_scale", SCALE),
];

/// What logits are multiplied by.
const SCALE: Key = Key::Custom {
    required: false,
    read: |config, value| {
        let scale = number(value)?;
        if scale <= 0.0 {
            return Err(KeyError::must_be(value, "a number above 0"));
        }
        config.logit_divisor = (scale != 1.0).then(|| scale.recip());
        Ok(())
    },
    write: |config| json!(config.logit_divisor.map_or(1.0, f64::recip)),
};

const OWN: Keys = &[
    // Norms of each head by itself, with factors of its own.
    ("use_qk_norm", Key::Only("false")),
];

/// What both versions take where a file is silent.
pub fn start() -> TransformerConfig {
    let mut config = TransformerConfig {
        input: InputConfig::Tokens {
            vocabulary: 256_000,
        },
        norm: NormConfig {
            unshifted: true,
            ..starcoder2::layer_norm(1e-5)
        },
        branches: Branches::ParallelOneNorm,
        head: Head::NextToken { tied: true },
        logit_divisor: Some(16.0),
        ..bert::sizes(llama::start(), [8192, 40, 64, 22528, 8192])
    };
    config.attention.rotary = Some(RotaryConfig {
        pairs: Pairs::Neighbours,
        ..RotaryConfig::new(500_000.0)
    });
    config
}
