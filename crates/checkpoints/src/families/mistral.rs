//! Mistral (Jiang et al. 2023), as a language model: a Llama with a sliding window of attention.

use super::{bert, heads, llama};
use crate::Family;
use crate::family::Keys;
use crate::keys::{CLASSES, Key, rotary, size};
use relprop_transformer::TransformerConfig;
use serde_json::json;

/// Mistral.
pub static MISTRAL: Family = Family {
    name: "mistral",
    architecture: Some("MistralForCausalLM"),
    start,
    keys: &[llama::KEYS, llama::NORM, rotary::KEYS, llama::PARTS, WINDOW],
    ignored_keys: &[],
    ..llama::LLAMA
};

/// Mistral that classifies a text, read at its last token.
pub static MISTRAL_LABELS: Family = Family {
    architecture: Some("MistralForSequenceClassification"),
    start: || heads::labels_at_end(start()),
    keys: &[
        llama::KEYS,
        llama::NORM,
        rotary::KEYS,
        llama::PARTS,
        WINDOW,
        CLASSES,
    ],
    tensors: &[llama::SCORE, llama::TENSORS],
    ..MISTRAL
};

/// Mistral with a label for each token.
pub static MISTRAL_TOKEN_LABELS: Family = Family {
    architecture: Some("MistralForTokenClassification"),
    start: || heads::token_labels(start()),
    keys: &[
        llama::KEYS,
        llama::NORM,
        rotary::KEYS,
        llama::PARTS,
        WINDOW,
        CLASSES,
    ],
    tensors: &[llama::SCORE, llama::TENSORS],
    ..MISTRAL
};

/// Mistral that finds the answer to a question.
pub static MISTRAL_SPAN: Family = Family {
    architecture: Some("MistralForQuestionAnswering"),
    start: || heads::span(start()),
    keys: &[llama::KEYS, llama::NORM, rotary::KEYS, llama::PARTS, WINDOW],
    base: "transformer",
    tensors: &[bert::SPAN_HEAD, llama::TENSORS],
    ..MISTRAL
};

/// Mistral that makes a vector of a text.
pub static MISTRAL_VECTOR: Family = Family {
    architecture: Some("MistralModel"),
    start: || heads::vector(start()),
    keys: &[llama::KEYS, llama::NORM, rotary::KEYS, llama::PARTS, WINDOW],
    tensors: &[bert::DENSE, llama::TENSORS],
    ..MISTRAL
};

/// How many tokens a token looks at: all, where it is null.
pub const WINDOW: Keys = &[(
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

/// Four heads of queries share one of keys, and all blocks have a window.
pub fn start() -> TransformerConfig {
    let mut config = bert::sizes(llama::start(), [4096, 32, 32, 14336, 4096 * 32]);
    config.attention.window = Some(4096);
    config.attention.key_heads = Some(8);
    config
}
