//! Mistral (Jiang et al. 2023), as a language model: a Llama with a sliding window of attention.

use super::{bert, llama};
use crate::Family;
use crate::family::Keys;
use crate::keys::{Key, size};
use relprop_transformer::TransformerConfig;
use serde_json::json;

/// Mistral.
pub static MISTRAL: Family = Family {
    name: "mistral",
    architecture: Some("MistralForCausalLM"),
    start,
    keys: &[llama::KEYS, llama::PARTS, WINDOW],
    ignored_keys: &[],
    ..llama::LLAMA
};

/// How many tokens a token looks at: all, where it is null.
const WINDOW: Keys = &[(
    "sliding_window",
    Key::Derived {
        read: |config, value| {
            match value {
                None => {}
                Some(value) if value.is_null() => config.attention.window = None,
                Some(value) => config.attention.window = Some(size(value)?),
            }
            Ok(())
        },
        write: |config| json!(config.attention.window),
    },
)];

fn start() -> TransformerConfig {
    let mut config = bert::sizes(llama::start(), [4096, 32, 32, 14336, 4096 * 32]);
    config.attention.window = Some(4096);
    config.attention.key_heads = Some(8);
    config
}
