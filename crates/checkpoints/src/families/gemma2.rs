//! Gemma 2 (Gemma Team 2024), as a language model: a Gemma with soft caps, a norm before each part and one
//! after it, and windows in every other block.

use super::{bert, gemma, heads, llama, ministral};
use crate::Family;
use crate::family::{Keys, Names};
use crate::keys::{CLASSES, Key, KeyError, blocks, number, rotary};
use relprop_transformer::{NormPlacement, TransformerConfig};
use serde_json::{Value, json};

/// Gemma 2.
pub static GEMMA2: Family = Family {
    name: "gemma2",
    architecture: Some("Gemma2ForCausalLM"),
    start,
    keys: &[llama::KEYS, llama::NORM, rotary::KEYS, PARTS, CAPS, WINDOWS],
    ignored_keys: &[],
    tensors: &[NORMS, llama::TENSORS],
    ..llama::LLAMA
};

/// Gemma 2 that makes a vector of a text.
pub static VECTOR: Family = Family {
    architecture: Some("Gemma2Model"),
    start: || heads::vector(start()),
    keys: &[llama::KEYS, llama::NORM, rotary::KEYS, PARTS, CAPS, WINDOWS],
    tensors: &[bert::DENSE, NORMS, llama::TENSORS],
    ..GEMMA2
};

/// Gemma 2 that classifies a text, read at its last token.
pub static LABELS: Family = Family {
    architecture: Some("Gemma2ForSequenceClassification"),
    start: || heads::labels_at_end(start()),
    keys: &[
        llama::KEYS,
        llama::NORM,
        rotary::KEYS,
        PARTS,
        CAPS,
        WINDOWS,
        CLASSES,
    ],
    tensors: &[llama::SCORE, NORMS, llama::TENSORS],
    ..GEMMA2
};

/// Gemma 2 with a label for each token.
pub static TOKEN_LABELS: Family = Family {
    architecture: Some("Gemma2ForTokenClassification"),
    start: || heads::token_labels(start()),
    keys: &[
        llama::KEYS,
        llama::NORM,
        rotary::KEYS,
        PARTS,
        CAPS,
        WINDOWS,
        CLASSES,
    ],
    tensors: &[llama::SCORE, NORMS, llama::TENSORS],
    ..GEMMA2
};

/// What Gemma 2 and 3 say in the same words.
pub const PARTS: Keys = &[
    ("head_dim", llama::HEAD_WIDTH),
    ("query_pre_attn_scalar", SCORE_WIDTH),
    ("attention_bias", llama::ATTENTION_BIAS),
    ("hidden_activation", gemma::ACTIVATION_OF_2),
];

const CAPS: Keys = &[
    ("use_bidirectional_attention", Key::Only("false")),
    (
        "attn_logit_softcapping",
        Key::Derived {
            read: |config, value| {
                config.attention.score_cap = cap(value, Some(50.0))?;
                Ok(())
            },
            write: |config| json!(config.attention.score_cap),
        },
    ),
    (
        "final_logit_softcapping",
        Key::Derived {
            read: |config, value| {
                config.logit_cap = cap(value, Some(30.0))?;
                Ok(())
            },
            write: |config| json!(config.logit_cap),
        },
    ),
];

/// A cap: none where it is null, `usual` where the file is silent.
///
/// # Errors
///
/// A [`KeyError`] if it is no number.
pub fn cap(value: Option<&Value>, usual: Option<f64>) -> Result<Option<f64>, KeyError> {
    match value {
        None => Ok(usual),
        Some(Value::Null) => Ok(None),
        Some(value) => number(value).map(Some),
    }
}

/// The number by whose root scores are divided: the width of a head in most models.
const SCORE_WIDTH: Key = Key::Derived {
    read: |config, value| {
        let width = match value {
            None | Some(Value::Null) => 256.0,
            Some(value) => number(value)?,
        };
        let usual = config.attention.head_width.map(|width| width as f64);
        let usual = usual.or_else(|| Some(config.width.checked_div(config.heads)? as f64));
        config.attention.score_factor = (usual != Some(width)).then(|| width.sqrt().recip());
        Ok(())
    },
    write: |config| {
        let Some(factor) = config.attention.score_factor else {
            return json!(config.head_width());
        };
        let width = (factor * factor).recip();
        match (width - width.round()).abs() < 1e-9 * width {
            true => json!(width.round()),
            false => json!(width),
        }
    },
};

const WINDOWS: Keys = &[
    ("sliding_window", ministral::WINDOW),
    (
        "layer_types",
        Key::Derived {
            read: |config, value| {
                blocks::read_layer_types(config, value, |index| index.is_multiple_of(2))
            },
            write: blocks::write_layer_types,
        },
    ),
];

/// Two norms for each part.
#[rustfmt::skip]
pub const NORMS: Names = &[
    ("encoder.{}.attention_output_norm", "$.layers.{}.post_attention_layernorm"),
    ("encoder.{}.feed_forward_norm", "$.layers.{}.pre_feedforward_layernorm"),
    ("encoder.{}.feed_forward_output_norm", "$.layers.{}.post_feedforward_layernorm"),
];

/// What Gemma 2 and 3 take where a file is silent.
pub fn start() -> TransformerConfig {
    let mut config = super::bert::sizes(gemma::start(), [2304, 26, 8, 9216, 8192]);
    config.norm_placement = NormPlacement::Around;
    config.attention.key_heads = Some(4);
    config.attention.window = Some(4096);
    config
}
