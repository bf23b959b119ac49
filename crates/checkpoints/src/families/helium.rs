//! Helium (Kyutai 2025), as a language model: a Llama that turns neighboring features.

use super::{bert, heads, llama};
use crate::Family;
use crate::family::Keys;
use crate::keys::{CLASSES, Key, rotary};
use relprop_rules::operations::{NormScale, Pairs};
use relprop_transformer::{InputConfig, RotaryConfig, TransformerConfig};

/// Helium.
pub static HELIUM: Family = Family {
    name: "helium",
    architecture: Some("HeliumForCausalLM"),
    start,
    keys: KEYS,
    ignored_keys: &[],
    ..llama::LLAMA
};

/// Helium that makes a vector of a text.
pub static VECTOR: Family = Family {
    architecture: Some("HeliumModel"),
    start: || heads::vector(start()),
    tensors: &[bert::DENSE, llama::TENSORS],
    ..HELIUM
};

/// Helium that classifies a text, read at its last token.
pub static LABELS: Family = Family {
    architecture: Some("HeliumForSequenceClassification"),
    start: || heads::labels_at_end(start()),
    keys: KEYS_WITH_CLASSES,
    tensors: &[llama::SCORE, llama::TENSORS],
    ..HELIUM
};

/// Helium with a label for each token.
pub static TOKEN_LABELS: Family = Family {
    architecture: Some("HeliumForTokenClassification"),
    start: || heads::token_labels(start()),
    keys: KEYS_WITH_CLASSES,
    tensors: &[llama::SCORE, llama::TENSORS],
    ..HELIUM
};

const KEYS: &[Keys] = &[llama::KEYS, llama::NORM, rotary::KEYS, OWN];

/// Those of the heads that give labels.
const KEYS_WITH_CLASSES: &[Keys] = &[llama::KEYS, llama::NORM, rotary::KEYS, OWN, CLASSES];

const OWN: Keys = &[
    ("head_dim", llama::head_width_or::<128>()),
    ("hidden_act", llama::ACTIVATION),
    ("attention_bias", Key::Flag(|c| &mut c.biases.attention)),
    ("mlp_bias", Key::Flag(|c| &mut c.biases.feed_forward)),
];

fn start() -> TransformerConfig {
    let mut config = bert::sizes(llama::start(), [2560, 24, 20, 7040, 4096]);
    config.input = InputConfig::Tokens { vocabulary: 48000 };
    config.norm.scale = NormScale::RootMeanSquare(1e-8);
    config.padding_token = 3;
    config.attention.rotary = Some(RotaryConfig {
        pairs: Pairs::Neighbours,
        ..RotaryConfig::new(100_000.0)
    });
    config
}
