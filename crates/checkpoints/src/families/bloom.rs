//! BLOOM (Scao et al. 2022), as a language model: positions are a bias of scores (ALiBi), and a norm stands
//! right after the word embeddings.

use super::{bert, falcon, gpt_neox, gpt2, heads, llama};
use crate::Family;
use crate::family::{Keys, Names};
use crate::keys::{CLASSES, EPSILON, Key, PADDING, TIED, VOCABULARY, feed_forward, size};
use relprop_transformer::{InputConfig, NormConfig, PositionBias, TransformerConfig};
use serde_json::json;

/// BLOOM.
pub static BLOOM: Family = Family {
    name: "bloom",
    architecture: Some("BloomForCausalLM"),
    start,
    keys: &[KEYS],
    // How a training was spread over machines.
    ignored_keys: &["pretraining_tp", "slow_but_exact"],
    base: "transformer",
    tensors: &[EMBEDDING_NORM, falcon::TENSORS],
    variants: &[],
    grouped: gpt_neox::FUSED,
    stacked: &[],
    untransposed: &[],
    ignored_tensors: &["lm_head.weight"],
};

/// BLOOM that makes a vector of a text.
pub static VECTOR: Family = Family {
    architecture: Some("BloomModel"),
    start: || heads::vector(start()),
    keys: &[KEYS],
    tensors: &[bert::DENSE, EMBEDDING_NORM, falcon::TENSORS],
    ..BLOOM
};

/// BLOOM that classifies a text, read at its last token.
pub static LABELS: Family = Family {
    architecture: Some("BloomForSequenceClassification"),
    start: || heads::labels_at_end(start()),
    keys: &[KEYS, CLASSES],
    tensors: &[llama::SCORE, EMBEDDING_NORM, falcon::TENSORS],
    ..BLOOM
};

/// BLOOM with a label for each token.
pub static TOKEN_LABELS: Family = Family {
    architecture: Some("BloomForTokenClassification"),
    start: || heads::token_labels(start()),
    keys: &[KEYS, CLASSES],
    tensors: &[heads::CLASSIFIER, EMBEDDING_NORM, falcon::TENSORS],
    ..BLOOM
};

/// BLOOM that finds the answer to a question.
pub static SPAN: Family = Family {
    architecture: Some("BloomForQuestionAnswering"),
    start: || heads::span(start()),
    keys: &[KEYS],
    tensors: &[bert::SPAN_HEAD, EMBEDDING_NORM, falcon::TENSORS],
    ..BLOOM
};

#[rustfmt::skip]
const KEYS: Keys = &[
    ("vocab_size", VOCABULARY),
    ("hidden_size", WIDTH),
    ("n_layer", Key::Size(|c| &mut c.blocks)),
    ("n_head", Key::Size(|c| &mut c.heads)),
    // How long the texts were that it was trained on: no table ends there.
    ("seq_length", Key::Size(|c| &mut c.positions)),
    ("layer_norm_epsilon", EPSILON),
    ("attention_dropout", Key::Number(|c| &mut c.attention_dropout)),
    ("hidden_dropout", Key::Number(|c| &mut c.dropout)),
    ("initializer_range", Key::Number(|c| &mut c.initializer_range)),
    ("tie_word_embeddings", TIED),
    ("pad_token_id", PADDING),
    ("apply_residual_connection_post_layernorm", Key::Only("false")),
];

/// The feed-forward part is four times as wide as hidden states.
pub const WIDTH: Key = Key::Custom {
    required: false,
    read: |config, value| {
        config.width = size(value)?;
        feed_forward(config).width = config.width.saturating_mul(4);
        Ok(())
    },
    write: |config| json!(config.width),
};

const EMBEDDING_NORM: Names = &[("embeddings.norm", "$.word_embeddings_layernorm")];

/// A GPT-2 whose positions are a bias of scores, with a norm after its embeddings.
pub fn start() -> TransformerConfig {
    let gpt2 = gpt2::start();
    let mut config = TransformerConfig {
        input: InputConfig::Tokens {
            vocabulary: 250_880,
        },
        embedding_norm: Some(NormConfig { ..gpt2.norm }),
        dropout: 0.0,
        attention_dropout: 0.0,
        ..bert::sizes(gpt2, [64, 2, 8, 256, 2048])
    };
    config.attention.bias = Some(PositionBias::Linear);
    config
}
