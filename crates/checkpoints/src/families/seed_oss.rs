//! Seed-OSS (ByteDance 2025), as a language model: a Llama with biases of queries, keys and values.

use super::{bert, heads, llama};
use crate::Family;
use crate::family::Keys;
use crate::keys::{CLASSES, Key, rotary};
use relprop_transformer::{InputConfig, TransformerConfig};

/// Seed-OSS.
pub static SEED_OSS: Family = Family {
    name: "seed_oss",
    architecture: Some("SeedOssForCausalLM"),
    start,
    keys: KEYS,
    ignored_keys: &["pretraining_tp", "residual_dropout"],
    ..llama::LLAMA
};

/// Seed-OSS that makes a vector of a text.
pub static VECTOR: Family = Family {
    architecture: Some("SeedOssModel"),
    start: || heads::vector(start()),
    tensors: &[bert::DENSE, llama::TENSORS],
    ..SEED_OSS
};

/// Seed-OSS that classifies a text, read at its last token.
pub static LABELS: Family = Family {
    architecture: Some("SeedOssForSequenceClassification"),
    start: || heads::labels_at_end(start()),
    keys: KEYS_WITH_CLASSES,
    tensors: &[llama::SCORE, llama::TENSORS],
    ..SEED_OSS
};

/// Seed-OSS with a label for each token.
pub static TOKEN_LABELS: Family = Family {
    architecture: Some("SeedOssForTokenClassification"),
    start: || heads::token_labels(start()),
    keys: KEYS_WITH_CLASSES,
    tensors: &[llama::SCORE, llama::TENSORS],
    ..SEED_OSS
};

/// Seed-OSS that finds the answer to a question.
pub static SPAN: Family = Family {
    architecture: Some("SeedOssForQuestionAnswering"),
    start: || heads::span(start()),
    base: "transformer",
    tensors: &[bert::SPAN_HEAD, llama::TENSORS],
    ..SEED_OSS
};

const KEYS: &[Keys] = &[llama::KEYS, llama::NORM, rotary::KEYS, OWN];

/// Those of the heads that give labels.
const KEYS_WITH_CLASSES: &[Keys] = &[llama::KEYS, llama::NORM, rotary::KEYS, OWN, CLASSES];

const OWN: Keys = &[
    ("head_dim", llama::head_width_or::<128>()),
    ("hidden_act", llama::ACTIVATION),
    ("attention_bias", Key::Flag(|c| &mut c.biases.attention)),
    (
        "attention_out_bias",
        Key::Flag(|c| &mut c.biases.attention_output),
    ),
    ("mlp_bias", Key::Flag(|c| &mut c.biases.feed_forward)),
];

fn start() -> TransformerConfig {
    let mut config = bert::sizes(llama::start(), [4096, 64, 80, 27648, 524_288]);
    config.input = InputConfig::Tokens {
        vocabulary: 155_136,
    };
    config.attention.key_heads = Some(8);
    config.attention_dropout = 0.1;
    config.biases.attention = true;
    config.padding_token = 1;
    config
}
