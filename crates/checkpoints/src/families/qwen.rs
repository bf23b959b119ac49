//! Qwen2 and Qwen3 (Yang et al. 2024, 2025), as language models: Llamas, the first with biases where
//! queries, keys and values are made, the second with norms there.

use super::{bert, heads, llama};
use crate::Family;
use crate::family::Keys;
use crate::keys::{CLASSES, Key, KeyError, rotary};
use relprop_transformer::{Biases, InputConfig, TransformerConfig};
use serde_json::Value;

/// Qwen2.
pub static QWEN2: Family = Family {
    name: "qwen2",
    architecture: Some("Qwen2ForCausalLM"),
    start: start_of_2,
    keys: &[
        llama::KEYS,
        llama::NORM,
        rotary::KEYS,
        llama::OWN_PARTS,
        WINDOW,
    ],
    ignored_keys: UNUSED,
    ..llama::LLAMA
};

/// Qwen3.
pub static QWEN3: Family = Family {
    name: "qwen3",
    architecture: Some("Qwen3ForCausalLM"),
    start: start_of_3,
    keys: &[
        llama::KEYS,
        llama::NORM,
        rotary::KEYS,
        llama::PARTS,
        WINDOW,
        BIAS,
    ],
    ignored_keys: UNUSED,
    ..llama::LLAMA
};

/// Qwen2 that classifies a text, read at its last token.
pub static QWEN2_LABELS: Family = Family {
    architecture: Some("Qwen2ForSequenceClassification"),
    start: || heads::labels_at_end(start_of_2()),
    keys: &[
        llama::KEYS,
        llama::NORM,
        rotary::KEYS,
        llama::OWN_PARTS,
        WINDOW,
        CLASSES,
    ],
    tensors: &[llama::SCORE, llama::TENSORS],
    ..QWEN2
};

/// Qwen2 with a label for each token.
pub static QWEN2_TOKEN_LABELS: Family = Family {
    architecture: Some("Qwen2ForTokenClassification"),
    start: || heads::token_labels(start_of_2()),
    keys: &[
        llama::KEYS,
        llama::NORM,
        rotary::KEYS,
        llama::OWN_PARTS,
        WINDOW,
        CLASSES,
    ],
    tensors: &[llama::SCORE, llama::TENSORS],
    ..QWEN2
};

/// Qwen2 that finds the answer to a question.
pub static QWEN2_SPAN: Family = Family {
    architecture: Some("Qwen2ForQuestionAnswering"),
    start: || heads::span(start_of_2()),
    keys: &[
        llama::KEYS,
        llama::NORM,
        rotary::KEYS,
        llama::OWN_PARTS,
        WINDOW,
    ],
    base: "transformer",
    tensors: &[bert::SPAN_HEAD, llama::TENSORS],
    ..QWEN2
};

/// Qwen2 that makes a vector of a text.
pub static QWEN2_VECTOR: Family = Family {
    architecture: Some("Qwen2Model"),
    start: || heads::vector(start_of_2()),
    keys: &[
        llama::KEYS,
        llama::NORM,
        rotary::KEYS,
        llama::OWN_PARTS,
        WINDOW,
    ],
    tensors: &[bert::DENSE, llama::TENSORS],
    ..QWEN2
};

/// Qwen3 that classifies a text, read at its last token.
pub static QWEN3_LABELS: Family = Family {
    architecture: Some("Qwen3ForSequenceClassification"),
    start: || heads::labels_at_end(start_of_3()),
    keys: &[
        llama::KEYS,
        llama::NORM,
        rotary::KEYS,
        llama::PARTS,
        WINDOW,
        BIAS,
        CLASSES,
    ],
    tensors: &[llama::SCORE, llama::TENSORS],
    ..QWEN3
};

/// Qwen3 with a label for each token.
pub static QWEN3_TOKEN_LABELS: Family = Family {
    architecture: Some("Qwen3ForTokenClassification"),
    start: || heads::token_labels(start_of_3()),
    keys: &[
        llama::KEYS,
        llama::NORM,
        rotary::KEYS,
        llama::PARTS,
        WINDOW,
        BIAS,
        CLASSES,
    ],
    tensors: &[llama::SCORE, llama::TENSORS],
    ..QWEN3
};

/// Qwen3 that finds the answer to a question.
pub static QWEN3_SPAN: Family = Family {
    architecture: Some("Qwen3ForQuestionAnswering"),
    start: || heads::span(start_of_3()),
    keys: &[
        llama::KEYS,
        llama::NORM,
        rotary::KEYS,
        llama::PARTS,
        WINDOW,
        BIAS,
    ],
    base: "transformer",
    tensors: &[bert::SPAN_HEAD, llama::TENSORS],
    ..QWEN3
};

/// Qwen3 that makes a vector of a text.
pub static QWEN3_VECTOR: Family = Family {
    architecture: Some("Qwen3Model"),
    start: || heads::vector(start_of_3()),
    keys: &[
        llama::KEYS,
        llama::NORM,
        rotary::KEYS,
        llama::PARTS,
        WINDOW,
        BIAS,
    ],
    tensors: &[bert::DENSE, llama::TENSORS],
    ..QWEN3
};

/// The sizes of a window that is off.
const UNUSED: &[&str] = &["sliding_window", "max_window_layers", "use_mrope"];

/// Every block looks at all tokens.
pub const WINDOW: Keys = &[
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

/// Whether the linear maps of attention have a bias.
pub const BIAS: Keys = &[("attention_bias", llama::ATTENTION_BIAS)];

/// What both take where a file is silent.
fn sizes() -> TransformerConfig {
    let mut config = bert::sizes(llama::start(), [4096, 32, 32, 22016, 32768]);
    config.input = InputConfig::Tokens {
        vocabulary: 151_936,
    };
    config.attention.key_heads = Some(32);
    config
}

/// Qwen2 as transformers has it where a file is silent.
pub fn start_of_2() -> TransformerConfig {
    TransformerConfig {
        biases: Biases {
            attention: true,
            ..Biases::NONE
        },
        ..sizes()
    }
}

/// The same of Qwen3.
pub fn start_of_3() -> TransformerConfig {
    let mut config = sizes();
    config.attention.head_width = Some(128);
    config.attention.query_key_norm = true;
    config
}
