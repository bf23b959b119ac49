//! EXAONE 4 (LG AI Research 2025), as a language model: a Llama whose norms stand after its parts, with norms of queries and
//! keys. Where blocks have windows, those without one know no positions.

use super::{bert, heads, llama, ministral, olmo2};
use crate::Family;
use crate::family::Keys;
use crate::keys::{CLASSES, Key, KeyError, blocks, rotary, size};
use relprop_rules::operations::NormScale;
use relprop_transformer::{InputConfig, NormPlacement, TransformerConfig};
use serde_json::{Value, json};

/// EXAONE 4.
pub static EXAONE4: Family = Family {
    name: "exaone4",
    architecture: Some("Exaone4ForCausalLM"),
    start,
    keys: KEYS,
    ignored_keys: &[],
    tensors: &[olmo2::NORMS, llama::TENSORS],
    ..llama::LLAMA
};

/// EXAONE 4 that makes a vector of a text.
pub static VECTOR: Family = Family {
    architecture: Some("Exaone4Model"),
    start: || heads::vector(start()),
    tensors: &[bert::DENSE, olmo2::NORMS, llama::TENSORS],
    ..EXAONE4
};

/// EXAONE 4 that classifies a text, read at its last token.
pub static LABELS: Family = Family {
    architecture: Some("Exaone4ForSequenceClassification"),
    start: || heads::labels_at_end(start()),
    keys: KEYS_WITH_CLASSES,
    tensors: &[llama::SCORE, olmo2::NORMS, llama::TENSORS],
    ..EXAONE4
};

/// EXAONE 4 with a label for each token.
pub static TOKEN_LABELS: Family = Family {
    architecture: Some("Exaone4ForTokenClassification"),
    start: || heads::token_labels(start()),
    keys: KEYS_WITH_CLASSES,
    tensors: &[llama::SCORE, olmo2::NORMS, llama::TENSORS],
    ..EXAONE4
};

/// EXAONE 4 that finds the answer to a question.
pub static SPAN: Family = Family {
    architecture: Some("Exaone4ForQuestionAnswering"),
    start: || heads::span(start()),
    base: "transformer",
    tensors: &[bert::SPAN_HEAD, olmo2::NORMS, llama::TENSORS],
    ..EXAONE4
};

const KEYS: &[Keys] = &[
    llama::KEYS,
    llama::NORM,
    rotary::KEYS,
    llama::OWN_PARTS,
    WINDOWS,
];

/// Those of the heads that give labels.
const KEYS_WITH_CLASSES: &[Keys] = &[
    llama::KEYS,
    llama::NORM,
    rotary::KEYS,
    llama::OWN_PARTS,
    WINDOWS,
    CLASSES,
];

const WINDOWS: Keys = &[
    ("sliding_window", ministral::WINDOW),
    // Every so many blocks, one looks at all tokens, where no list says which.
    ("sliding_window_pattern", PATTERN),
    ("layer_types", TYPES),
];

const PATTERN: Key = Key::Derived {
    read: |config, value| {
        let pattern = match value {
            None | Some(Value::Null) => 4,
            // Three blocks with a window, and one without.
            Some(value) if value == "LLLG" => 4,
            Some(value) => size(value)?,
        };
        if pattern == 0 && config.attention.window.is_some() {
            return Err(KeyError::must_be(&json!(0), "at least 1"));
        }
        blocks::read_layer_types(config, None, |index| {
            pattern == 0 || !(index + 1).is_multiple_of(pattern)
        })
    },
    write: |_| json!(4),
};

const TYPES: Key = Key::Derived {
    read: |config, value| {
        let window = blocks::window(config);
        if let Some(list) = value.filter(|value| !value.is_null()) {
            // The window was handed to blocks by the pattern.
            config.attention.window = window;
            blocks::read_layer_types(config, Some(list), |_| false)?;
        }
        if window.is_some() {
            blocks::turn_windows_alone(config);
        }
        Ok(())
    },
    write: blocks::write_layer_types,
};

fn start() -> TransformerConfig {
    let mut config = bert::sizes(llama::start(), [4096, 32, 32, 16384, 2048]);
    config.input = InputConfig::Tokens {
        vocabulary: 102_400,
    };
    config.norm.scale = NormScale::RootMeanSquare(1e-5);
    config.norm_placement = NormPlacement::AfterParts;
    config.attention.query_key_norm = true;
    config.attention.window = Some(4096);
    config
}
