//! OLMo 1 (Groeneveld et al. 2024), as a language model: a Llama whose norms learn nothing.

use super::{bert, heads, llama, starcoder2};
use crate::Family;
use crate::family::Keys;
use crate::keys::{CLASSES, Key, rotary};
use relprop_transformer::{InputConfig, NormConfig, TransformerConfig};

/// OLMo.
pub static OLMO: Family = Family {
    name: "olmo",
    architecture: Some("OlmoForCausalLM"),
    start,
    keys: KEYS,
    ignored_keys: &[],
    ..llama::LLAMA
};

/// OLMo that makes a vector of a text.
pub static VECTOR: Family = Family {
    architecture: Some("OlmoModel"),
    start: || heads::vector(start()),
    tensors: &[bert::DENSE, llama::TENSORS],
    ..OLMO
};

/// OLMo that classifies a text, read at its last token.
pub static LABELS: Family = Family {
    architecture: Some("OlmoForSequenceClassification"),
    start: || heads::labels_at_end(start()),
    keys: KEYS_WITH_CLASSES,
    tensors: &[llama::SCORE, llama::TENSORS],
    ..OLMO
};

const KEYS: &[Keys] = &[llama::KEYS, rotary::KEYS, OWN];

/// Those of the heads that give labels.
const KEYS_WITH_CLASSES: &[Keys] = &[llama::KEYS, rotary::KEYS, OWN, CLASSES];

const OWN: Keys = &[
    ("head_dim", llama::OWN_HEAD_WIDTH),
    ("hidden_act", llama::ACTIVATION),
    ("attention_bias", llama::ATTENTION_BIAS),
    // It would bound queries, keys and values.
    ("clip_qkv", Key::Only("null")),
];

fn start() -> TransformerConfig {
    let mut config = bert::sizes(llama::start(), [4096, 32, 32, 11008, 2048]);
    config.input = InputConfig::Tokens { vocabulary: 50304 };
    config.padding_token = 1;
    config.norm = NormConfig {
        affine: false,
        ..starcoder2::layer_norm(1e-5)
    };
    config
}
