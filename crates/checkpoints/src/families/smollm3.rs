//! SmolLM3 (Bakouch et al. 2025), as a language model: a Llama in which some blocks know no positions.

use super::{bert, heads, llama, qwen};
use crate::Family;
use crate::family::Keys;
use crate::keys::blocks::{list, simplify};
use crate::keys::{CLASSES, Key, KeyError, rotary, size};
use relprop_transformer::{BlockAttention, Head, InputConfig, TransformerConfig};
use serde_json::{Value, json};

/// SmolLM3.
pub static SMOLLM3: Family = Family {
    name: "smollm3",
    architecture: Some("SmolLM3ForCausalLM"),
    start,
    keys: KEYS,
    // The sizes of a window that is off.
    ignored_keys: &["sliding_window", "max_window_layers"],
    ..llama::LLAMA
};

/// SmolLM3 that makes a vector of a text.
pub static VECTOR: Family = Family {
    architecture: Some("SmolLM3Model"),
    start: || heads::vector(start()),
    keys: KEYS,
    tensors: &[bert::DENSE, llama::TENSORS],
    ..SMOLLM3
};

/// SmolLM3 that classifies a text, read at its last token.
pub static LABELS: Family = Family {
    architecture: Some("SmolLM3ForSequenceClassification"),
    start: || heads::labels_at_end(start()),
    keys: KEYS_WITH_CLASSES,
    tensors: &[llama::SCORE, llama::TENSORS],
    ..SMOLLM3
};

/// SmolLM3 with a label for each token.
pub static TOKEN_LABELS: Family = Family {
    architecture: Some("SmolLM3ForTokenClassification"),
    start: || heads::token_labels(start()),
    keys: KEYS_WITH_CLASSES,
    tensors: &[llama::SCORE, llama::TENSORS],
    ..SMOLLM3
};

/// SmolLM3 that finds the answer to a question.
pub static SPAN: Family = Family {
    architecture: Some("SmolLM3ForQuestionAnswering"),
    start: || heads::span(start()),
    keys: KEYS,
    base: "transformer",
    tensors: &[bert::SPAN_HEAD, llama::TENSORS],
    ..SMOLLM3
};

const KEYS: &[Keys] = &[
    llama::KEYS,
    llama::NORM,
    rotary::KEYS,
    llama::OWN_PARTS,
    llama::BIASES,
    qwen::WINDOW,
    ROTATIONS,
];

/// Those of the heads that give labels.
const KEYS_WITH_CLASSES: &[Keys] = &[
    llama::KEYS,
    llama::NORM,
    rotary::KEYS,
    llama::OWN_PARTS,
    llama::BIASES,
    qwen::WINDOW,
    ROTATIONS,
    CLASSES,
];

const ROTATIONS: Keys = &[
    // Which blocks know no positions where there is no list: every fourth one, or every so many.
    ("no_rope_layer_interval", INTERVAL),
    ("no_rope_layers", BLOCKS),
];

const INTERVAL: Key = Key::Derived {
    read: |config, value| {
        let interval = match value {
            None | Some(Value::Null) => 4,
            Some(value) => size(value)?,
        };
        if interval == 0 {
            return Err(KeyError::must_be(&json!(0), "at least 1"));
        }
        turn(config, |index| !(index + 1).is_multiple_of(interval));
        Ok(())
    },
    write: |_| json!(4),
};

/// 1 for each block whose queries and keys are turned, 0 for the others.
const BLOCKS: Key = Key::Custom {
    required: false,
    read: |config, value| {
        let blocks = list(value, config.blocks)?;
        let known = |flag: &Value| matches!(flag.as_u64(), Some(0 | 1));
        if let Some(flag) = blocks.iter().find(|flag| !known(flag)) {
            return Err(KeyError::must_be(flag, "0 or 1"));
        }
        turn(config, |index| blocks[index].as_u64() == Some(1));
        Ok(())
    },
    write: |config| {
        let turned = |index| config.block_attention(index).rotary.is_some();
        let blocks = (0..config.blocks.min(1000)).map(|index| u8::from(turned(index)));
        json!(blocks.collect::<Vec<_>>())
    },
};

fn turn(config: &mut TransformerConfig, turns: impl Fn(usize) -> bool) {
    // A file with more blocks is refused later on.
    if config.blocks > 1000 {
        return;
    }
    let rotary = config.attention.rotary;
    let block = |index| BlockAttention {
        window: None,
        rotary: rotary.filter(|_| turns(index)),
    };
    config.attention_by_block = (0..config.blocks).map(block).collect();
    simplify(config);
}

fn start() -> TransformerConfig {
    let mut config = TransformerConfig {
        input: InputConfig::Tokens {
            vocabulary: 128_256,
        },
        head: Head::NextToken { tied: true },
        ..bert::sizes(llama::start(), [2048, 36, 16, 11008, 32768])
    };
    config.attention.key_heads = Some(4);
    if let Some(rotary) = &mut config.attention.rotary {
        rotary.theta = 2_000_000.0;
    }
    config
}
