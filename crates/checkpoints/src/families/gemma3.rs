//! Gemma 3 (Gemma Team 2025), as a language model of texts: a Gemma 2 without caps, with norms of queries and
//! keys, and with another rotation in the blocks that have a window.

use super::{bert, gemma2, heads, llama, ministral};
use crate::Family;
use crate::family::Keys;
use crate::keys::{CLASSES, Key, KeyError, blocks, flag, number, rotary, size};
use relprop_rules::operations::Pairs;
use relprop_transformer::{InputConfig, RotaryConfig, RotaryScaling, TransformerConfig};
use serde_json::{Value, json};

/// Gemma 3.
pub static GEMMA3: Family = Family {
    name: "gemma3_text",
    architecture: Some("Gemma3ForCausalLM"),
    start,
    keys: &[llama::KEYS, llama::NORM, gemma2::PARTS, OWN],
    ignored_keys: &[],
    tensors: &[gemma2::NORMS, llama::TENSORS],
    ..llama::LLAMA
};

/// Gemma 3 that classifies a text, read at its last token.
pub static LABELS: Family = Family {
    architecture: Some("Gemma3TextForSequenceClassification"),
    start: || heads::labels_at_end(start()),
    keys: &[llama::KEYS, llama::NORM, gemma2::PARTS, OWN, CLASSES],
    tensors: &[llama::SCORE, gemma2::NORMS, llama::TENSORS],
    ..GEMMA3
};

/// Gemma 3 that makes a vector of a text.
pub static VECTOR: Family = Family {
    architecture: Some("Gemma3TextModel"),
    start: || heads::vector(start()),
    keys: &[llama::KEYS, llama::NORM, gemma2::PARTS, OWN],
    tensors: &[bert::DENSE, gemma2::NORMS, llama::TENSORS],
    ..GEMMA3
};

const OWN: Keys = &[
    ("use_bidirectional_attention", BIDIRECTIONAL),
    (
        "attn_logit_softcapping",
        Key::Derived {
            read: |config, value| {
                config.attention.score_cap = gemma2::cap(value, None)?;
                Ok(())
            },
            write: |config| json!(config.attention.score_cap),
        },
    ),
    (
        "final_logit_softcapping",
        Key::Derived {
            read: |config, value| {
                config.logit_cap = gemma2::cap(value, None)?;
                Ok(())
            },
            write: |config| json!(config.logit_cap),
        },
    ),
    ("rope_theta", rotary::THETA),
    ("rope_scaling", rotary::SCALING),
    ("sliding_window", WINDOW),
    ("sliding_window_pattern", PATTERN),
    ("layer_types", TYPES),
    ("rope_local_base_freq", LOCAL_THETA),
    ("rope_parameters", PARAMETERS),
];

/// Whether tokens look at those after them as well: EmbeddingGemma.
const BIDIRECTIONAL: Key = Key::Custom {
    required: false,
    read: |config, value| {
        config.attention.causal = !flag(value)?;
        Ok(())
    },
    write: |config| json!(!config.attention.causal),
};

/// How many tokens a token looks at, in the blocks that have a window: of both sides together, itself left out, where it
/// looks at both.
const WINDOW: Key = Key::Derived {
    read: |config, value| {
        ministral::WINDOW.read(config, value.unwrap_or(&json!(4096)))?;
        if let (false, Some(window)) = (config.attention.causal, &mut config.attention.window) {
            *window = *window / 2 + 1;
        }
        Ok(())
    },
    write: |config| {
        let window = blocks::window(config);
        json!(window.map(|window| match config.attention.causal {
            true => window,
            false => (window - 1) * 2,
        }))
    },
};

/// Every so many blocks, one looks at all tokens, where no list says which.
const PATTERN: Key = Key::Derived {
    read: |config, value| {
        let pattern = match value {
            None | Some(Value::Null) => 6,
            Some(value) => size(value)?,
        };
        if pattern == 0 {
            return Err(KeyError::must_be(&json!(0), "at least 1"));
        }
        by_block(
            config,
            None,
            |index| !(index + 1).is_multiple_of(pattern),
            OWN_ROTATION,
        )
    },
    write: |_| json!(6),
};

/// The kinds of blocks, by a list.
pub const TYPES: Key = Key::Custom {
    required: false,
    read: |config, value| {
        // The window was handed to blocks by the pattern.
        config.attention.window = blocks::window(config);
        by_block(config, Some(value), |_| false, OWN_ROTATION)
    },
    write: blocks::write_layer_types,
};

/// Hands the window to some blocks, and the rotation `own` to these.
///
/// # Errors
///
/// A [`KeyError`] if the list of types is none.
pub fn by_block(
    config: &mut TransformerConfig,
    types: Option<&Value>,
    slides: impl Fn(usize) -> bool,
    own: RotaryConfig,
) -> Result<(), KeyError> {
    blocks::read_layer_types(config, types, slides)?;
    // Blocks are alike only where all of them look at all tokens.
    blocks::one_by_one(config);
    turn_windows(config, own);
    Ok(())
}

/// Gives this rotation to the blocks that have a window.
fn turn_windows(config: &mut TransformerConfig, rotary: RotaryConfig) {
    let windowed = config.attention_by_block.iter_mut();
    for block in windowed.filter(|block| block.window.is_some()) {
        block.rotary = Some(rotary);
    }
    blocks::simplify(config);
}

/// The base of the rotation in blocks with a window, before transformers 5.
pub const LOCAL_THETA: Key = Key::Custom {
    required: false,
    read: |config, value| {
        let theta = number(value)?;
        turn_windows(config, RotaryConfig::new(theta));
        Ok(())
    },
    write: |_| Value::Null,
};

/// The rotations of both kinds of blocks.
pub const PARAMETERS: Key = Key::Custom {
    required: false,
    read: |config, value| {
        let object = value.as_object();
        let object = object.ok_or_else(|| KeyError::must_be(value, "an object"))?;
        let kinds = ["full_attention", "sliding_attention"];
        if let Some(key) = object.keys().find(|key| !kinds.contains(&key.as_str())) {
            return Err(KeyError::new("is not supported").within(key));
        }
        let read = |kind: &str, usual: RotaryConfig| {
            let mut read = TransformerConfig::llama(2);
            read.attention.rotary = Some(usual);
            read.positions = config.positions;
            if let Some(value) = object.get(kind).filter(|value| !value.is_null()) {
                rotary::read(&mut read, value).map_err(|error| error.within(kind))?;
            }
            let found = read.attention.rotary.unwrap_or(usual);
            // These two are for all blocks of a model.
            match found.scaling {
                Some(RotaryScaling::Dynamic { .. } | RotaryScaling::Long { .. }) => {
                    let message = "has a scaling that relprop does not compute by block";
                    Err(KeyError::new(message).within(kind))
                }
                _ => Ok(found),
            }
        };
        let all = config.attention.rotary.unwrap_or(RotaryConfig::new(1e6));
        let all = read(kinds[0], all)?;
        config.attention.rotary = Some(all);
        let full = config.attention_by_block.iter_mut();
        for block in full.filter(|block| block.window.is_none()) {
            block.rotary = Some(all);
        }
        let own = config.attention_by_block.iter();
        let own = own.filter(|block| block.window.is_some());
        let own = own.filter_map(|block| block.rotary).next();
        let own = read(kinds[1], own.unwrap_or(OWN_ROTATION))?;
        turn_windows(config, own);
        Ok(())
    },
    write: |config| {
        let Some(all) = config.attention.rotary else {
            return Value::Null;
        };
        let own = config.attention_by_block.iter();
        let own = own.filter(|block| block.window.is_some());
        let own = own.filter_map(|block| block.rotary).next();
        let own = own.unwrap_or(OWN_ROTATION);
        json!({
            "full_attention": rotary::written(config, &all),
            "sliding_attention": rotary::written(config, &own),
        })
    },
};

/// That of blocks with a window, where a file is silent.
pub const OWN_ROTATION: RotaryConfig = RotaryConfig {
    theta: 10_000.0,
    scaling: None,
    features: None,
    pairs: Pairs::Halves,
};

fn start() -> TransformerConfig {
    let mut config = TransformerConfig {
        input: InputConfig::Tokens {
            vocabulary: 262_208,
        },
        positions: 131_072,
        ..gemma2::start()
    };
    config.attention.query_key_norm = true;
    config.attention.rotary = Some(RotaryConfig::new(1_000_000.0));
    config
}
