//! Gemma (Gemma Team 2024), as a language model: a Llama with larger embeddings, and norms whose
//! factor is one more than what was learned.

use super::{bert, heads, llama};
use crate::Family;
use crate::family::Keys;
use crate::keys::{CLASSES, Key, KeyError, feed_forward, rotary};
use relprop_rules::operations::Activation;
use relprop_transformer::{Head, InputConfig, TransformerConfig};
use serde_json::Value;

/// Gemma.
pub static GEMMA: Family = Family {
    name: "gemma",
    architecture: Some("GemmaForCausalLM"),
    start,
    keys: &[llama::KEYS, llama::NORM, rotary::KEYS, OWN],
    ignored_keys: &[],
    ..llama::LLAMA
};

/// Gemma that classifies a text, read at its last token.
pub static GEMMA_LABELS: Family = Family {
    architecture: Some("GemmaForSequenceClassification"),
    start: || heads::labels_at_end(start()),
    keys: &[llama::KEYS, llama::NORM, rotary::KEYS, OWN, CLASSES],
    tensors: &[llama::SCORE, llama::TENSORS],
    ..GEMMA
};

/// Gemma with a label for each token.
pub static GEMMA_TOKEN_LABELS: Family = Family {
    architecture: Some("GemmaForTokenClassification"),
    start: || heads::token_labels(start()),
    keys: &[llama::KEYS, llama::NORM, rotary::KEYS, OWN, CLASSES],
    tensors: &[llama::SCORE, llama::TENSORS],
    ..GEMMA
};

/// Gemma that finds the answer to a question.
pub static GEMMA_SPAN: Family = Family {
    architecture: Some("GemmaForQuestionAnswering"),
    start: || heads::span(start()),
    keys: &[llama::KEYS, llama::NORM, rotary::KEYS, OWN],
    base: "transformer",
    tensors: &[bert::SPAN_HEAD, llama::TENSORS],
    ..GEMMA
};

/// Gemma that makes a vector of a text.
pub static GEMMA_VECTOR: Family = Family {
    architecture: Some("GemmaModel"),
    start: || heads::vector(start()),
    keys: &[llama::KEYS, llama::NORM, rotary::KEYS, OWN],
    tensors: &[bert::DENSE, llama::TENSORS],
    ..GEMMA
};

const OWN: Keys = &[
    ("head_dim", llama::HEAD_WIDTH),
    ("hidden_act", ACTIVATION),
    ("attention_bias", llama::ATTENTION_BIAS),
    ("use_bidirectional_attention", Key::Only("false")),
    ("hidden_activation", AGAIN),
];

/// The approximate GELU, which the first files call by the name of the exact one.
const ACTIVATION: Key = Key::Custom {
    required: false,
    read: |_, value| match value.as_str() {
        Some("gelu_pytorch_tanh" | "gelu") => Ok(()),
        _ => Err(KeyError::only(value, "`gelu_pytorch_tanh`")),
    },
    write: ACTIVATION_WRITTEN,
};

const ACTIVATION_WRITTEN: fn(&TransformerConfig) -> Value = |config| {
    // What another activation is called, this family cannot say.
    let known = config.feed_forward.map(|part| part.activation);
    match known == Some(Activation::GeluTanh) {
        true => "gelu_pytorch_tanh".into(),
        false => false.into(),
    }
};

/// The activation as Gemma 2 and 3 call it.
pub const ACTIVATION_OF_2: Key = Key::Custom {
    required: false,
    read: |_, value| match value.as_str() {
        Some("gelu_pytorch_tanh") => Ok(()),
        _ => Err(KeyError::only(value, "`gelu_pytorch_tanh`")),
    },
    write: ACTIVATION_WRITTEN,
};

/// The same, in files that have both keys.
const AGAIN: Key = Key::Custom {
    required: false,
    read: |_, value| match value.as_str() {
        Some("gelu_pytorch_tanh") => Ok(()),
        _ => Err(KeyError::only(value, "`gelu_pytorch_tanh`")),
    },
    write: |_| Value::Null,
};

/// Scaled embeddings, and norms whose factor is 1 plus what was learned.
pub fn start() -> TransformerConfig {
    let mut config = TransformerConfig {
        input: InputConfig::Tokens {
            vocabulary: 256_000,
        },
        scaled_embeddings: true,
        head: Head::NextToken { tied: true },
        ..bert::sizes(llama::start(), [3072, 28, 16, 24576, 8192])
    };
    config.norm.plus_one = true;
    config.attention.head_width = Some(256);
    config.attention.key_heads = Some(16);
    feed_forward(&mut config).activation = Activation::GeluTanh;
    config
}
