//! Ministral (Mistral AI 2024), as a language model: a Mistral in which some blocks may look at all tokens.

use super::{bert, heads, llama, mistral};
use crate::Family;
use crate::family::Keys;
use crate::keys::{CLASSES, Key, blocks, rotary, size};
use serde_json::{Value, json};

/// Ministral.
pub static MINISTRAL: Family = Family {
    name: "ministral",
    architecture: Some("MinistralForCausalLM"),
    start: mistral::start,
    keys: KEYS,
    ignored_keys: &[],
    ..llama::LLAMA
};

/// Ministral that makes a vector of a text.
pub static VECTOR: Family = Family {
    architecture: Some("MinistralModel"),
    start: || heads::vector(mistral::start()),
    keys: KEYS,
    tensors: &[bert::DENSE, llama::TENSORS],
    ..MINISTRAL
};

/// Ministral that classifies a text, read at its last token.
pub static LABELS: Family = Family {
    architecture: Some("MinistralForSequenceClassification"),
    start: || heads::labels_at_end(mistral::start()),
    keys: KEYS_WITH_CLASSES,
    tensors: &[llama::SCORE, llama::TENSORS],
    ..MINISTRAL
};

/// Ministral with a label for each token.
pub static TOKEN_LABELS: Family = Family {
    architecture: Some("MinistralForTokenClassification"),
    start: || heads::token_labels(mistral::start()),
    keys: KEYS_WITH_CLASSES,
    tensors: &[llama::SCORE, llama::TENSORS],
    ..MINISTRAL
};

/// Ministral that finds the answer to a question.
pub static SPAN: Family = Family {
    architecture: Some("MinistralForQuestionAnswering"),
    start: || heads::span(mistral::start()),
    keys: KEYS,
    base: "transformer",
    tensors: &[bert::SPAN_HEAD, llama::TENSORS],
    ..MINISTRAL
};

const KEYS: &[Keys] = &[
    llama::KEYS,
    llama::NORM,
    rotary::KEYS,
    llama::PARTS,
    WINDOWS,
];

/// Those of the heads that give labels.
const KEYS_WITH_CLASSES: &[Keys] = &[
    llama::KEYS,
    llama::NORM,
    rotary::KEYS,
    llama::PARTS,
    WINDOWS,
    CLASSES,
];

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
