//! OLMo 3 (OLMo Team 2025), as a language model: an OLMo 2 in which three of four blocks have a window, with a rotation
//! of their own.

use super::{bert, gemma3, heads, llama, ministral, olmo2};
use crate::Family;
use crate::family::Keys;
use crate::keys::{CLASSES, Key, blocks, rotary};
use relprop_transformer::{RotaryConfig, TransformerConfig};

/// OLMo 3.
pub static OLMO3: Family = Family {
    name: "olmo3",
    architecture: Some("Olmo3ForCausalLM"),
    start,
    keys: KEYS,
    ignored_keys: &[],
    tensors: &[olmo2::NORMS, llama::TENSORS],
    ..llama::LLAMA
};

/// OLMo 3 that makes a vector of a text.
pub static VECTOR: Family = Family {
    architecture: Some("Olmo3Model"),
    start: || heads::vector(start()),
    tensors: &[bert::DENSE, olmo2::NORMS, llama::TENSORS],
    ..OLMO3
};

/// OLMo 3 that classifies a text, read at its last token.
pub static LABELS: Family = Family {
    architecture: Some("Olmo3ForSequenceClassification"),
    start: || heads::labels_at_end(start()),
    keys: KEYS_WITH_CLASSES,
    tensors: &[llama::SCORE, olmo2::NORMS, llama::TENSORS],
    ..OLMO3
};

const KEYS: &[Keys] = &[llama::KEYS, llama::NORM, olmo2::PARTS, WINDOWS];

/// Those of the heads that give labels.
const KEYS_WITH_CLASSES: &[Keys] = &[llama::KEYS, llama::NORM, olmo2::PARTS, WINDOWS, CLASSES];

const WINDOWS: Keys = &[
    // Both are those of the blocks that look at all tokens.
    ("rope_theta", rotary::THETA),
    ("rope_scaling", rotary::SCALING),
    ("sliding_window", ministral::WINDOW),
    ("layer_types", TYPES),
    ("rope_parameters", gemma3::PARAMETERS),
];

/// The blocks that have a window: all but every fourth.
const TYPES: Key = Key::Derived {
    read: |config, value| {
        let own = RotaryConfig::new(THETA);
        gemma3::by_block(config, value, |index| !(index + 1).is_multiple_of(4), own)
    },
    write: blocks::write_layer_types,
};

const THETA: f64 = 500_000.0;

fn start() -> TransformerConfig {
    let mut config = olmo2::start();
    config.attention.window = Some(4096);
    config.attention.rotary = Some(RotaryConfig::new(THETA));
    config
}
