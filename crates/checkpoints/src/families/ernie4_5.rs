//! ERNIE 4.5 (Baidu 2025) without experts, as a language model: a Llama that turns neighboring features.

use super::{bert, heads, llama, starcoder2};
use crate::Family;
use crate::family::Keys;
use crate::keys::rotary;
use relprop_rules::operations::{NormScale, Pairs};
use relprop_transformer::{Head, InputConfig, RotaryConfig, TransformerConfig};

/// ERNIE 4.5.
pub static ERNIE4_5: Family = Family {
    name: "ernie4_5",
    architecture: Some("Ernie4_5ForCausalLM"),
    start,
    keys: KEYS,
    ignored_keys: &[],
    ..llama::LLAMA
};

/// ERNIE 4.5 that makes a vector of a text.
pub static VECTOR: Family = Family {
    architecture: Some("Ernie4_5Model"),
    start: || heads::vector(start()),
    tensors: &[bert::DENSE, llama::TENSORS],
    ..ERNIE4_5
};

const KEYS: &[Keys] = &[llama::KEYS, llama::NORM, rotary::KEYS, OWN];

const OWN: Keys = &[
    ("head_dim", llama::head_width_or::<128>()),
    ("hidden_act", llama::ACTIVATION),
    ("use_bias", starcoder2::BIASES),
];

fn start() -> TransformerConfig {
    let mut config = TransformerConfig {
        input: InputConfig::Tokens {
            vocabulary: 103_424,
        },
        head: Head::NextToken { tied: true },
        ..bert::sizes(llama::start(), [1024, 18, 16, 3072, 131_072])
    };
    config.norm.scale = NormScale::RootMeanSquare(1e-5);
    config.attention.key_heads = Some(2);
    config.attention.rotary = Some(RotaryConfig {
        pairs: Pairs::Neighbours,
        ..RotaryConfig::new(500_000.0)
    });
    config
}
