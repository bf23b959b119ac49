//! GPTBigCode, which is StarCoder and SantaCoder (Allal et al. 2023): a GPT-2 whose heads share one head of keys and
//! values.

use relprop_rules::operations::Activation;
use serde_json::json;

use super::{bert, gpt2, heads, llama};
use crate::Family;
use crate::family::Keys;
use crate::keys::{CLASSES, Key, feed_forward, flag};
use relprop_transformer::TransformerConfig;

/// GPTBigCode.
pub static GPT_BIGCODE: Family = Family {
    name: "gpt_bigcode",
    architecture: Some("GPTBigCodeForCausalLM"),
    start,
    keys: &[gpt2::KEYS, OWN],
    // The precision of the softmax.
    ignored_keys: &[
        "attention_softmax_in_fp32",
        "scale_attention_softmax_in_fp32",
    ],
    // Where each head has its own keys and values, they stand beside its queries.
    grouped: &[
        "encoder.{}.attention.query",
        "encoder.{}.attention.key",
        "encoder.{}.attention.value",
    ],
    untransposed: &[],
    ..gpt2::GPT2
};

/// GPTBigCode that classifies a text, read at its last token.
pub static LABELS: Family = Family {
    architecture: Some("GPTBigCodeForSequenceClassification"),
    start: || heads::labels_at_end(start()),
    keys: &[gpt2::KEYS, OWN, CLASSES],
    tensors: &[gpt2::TENSORS, llama::SCORE],
    ..GPT_BIGCODE
};

/// GPTBigCode with a label for each token.
pub static TOKEN_LABELS: Family = Family {
    architecture: Some("GPTBigCodeForTokenClassification"),
    start: || heads::token_labels(start()),
    keys: &[gpt2::KEYS, OWN, CLASSES],
    tensors: &[gpt2::TENSORS],
    ..GPT_BIGCODE
};

/// GPTBigCode that makes a vector of a text.
pub static VECTOR: Family = Family {
    architecture: Some("GPTBigCodeModel"),
    start: || heads::vector(start()),
    keys: &[gpt2::KEYS, OWN],
    tensors: &[gpt2::TENSORS, bert::DENSE],
    ..GPT_BIGCODE
};

const OWN: Keys = &[("multi_query", ONE_HEAD)];

/// Whether all heads share one head of keys and values.
const ONE_HEAD: Key = Key::Derived {
    read: |config, value| {
        let shared = value.filter(|value| !value.is_null());
        let shared = shared.map_or(Ok(true), flag)?;
        config.attention.key_heads = (shared && config.heads > 1).then_some(1);
        Ok(())
    },
    write: |config| json!(config.key_heads() == 1),
};

fn start() -> TransformerConfig {
    let mut config = gpt2::start();
    feed_forward(&mut config).activation = Activation::GeluTanh;
    config
}
