//! GPT-2 (Radford et al. 2019), as a language model.

use relprop_rules::operations::{Activation, NormScale};
use serde_json::{Value, json};

use super::{bert, heads, llama};
use crate::Family;
use crate::family::{Keys, Names};
use crate::keys::{CLASSES, EPSILON, Key, PADDING, TIED, VOCABULARY, feed_forward, size};
use relprop_transformer::{FeedForwardConfig, Head, NormConfig, NormPlacement, TransformerConfig};

/// GPT-2.
pub static GPT2: Family = Family {
    name: "gpt2",
    architecture: Some("GPT2LMHeadModel"),
    start,
    keys: &[KEYS],
    ignored_keys: &[
        // What summarizes a text in other tasks.
        "summary_activation",
        "summary_first_dropout",
        "summary_last_dropout",
        "summary_proj_to_labels",
        "summary_type",
        "summary_use_proj",
    ],
    base: "transformer",
    tensors: &[TENSORS, llama::HEAD],
    // Its blocks have maps of their own, `Conv1D`.
    variants: &[],
    grouped: &[],
    stacked: &[],
    untransposed: &[
        "encoder.{}.attention.query",
        "encoder.{}.attention.key",
        "encoder.{}.attention.value",
        "encoder.{}.attention.output",
        "encoder.{}.feed_forward.up",
        "encoder.{}.feed_forward.down",
    ],
    // The causal mask, and the head where it is the table of embeddings.
    ignored_tensors: &[
        "$.h.{}.attn.bias",
        "$.h.{}.attn.masked_bias",
        "lm_head.weight",
    ],
};

/// GPT-2 that classifies a text, read at its last token.
pub static GPT2_LABELS: Family = Family {
    architecture: Some("GPT2ForSequenceClassification"),
    start: || heads::labels_at_end(start()),
    keys: &[KEYS, CLASSES],
    tensors: &[TENSORS, llama::SCORE],
    ..GPT2
};

/// GPT-2 with a label for each token.
pub static GPT2_TOKEN_LABELS: Family = Family {
    architecture: Some("GPT2ForTokenClassification"),
    start: || heads::token_labels(start()),
    keys: &[KEYS, CLASSES],
    tensors: &[TENSORS],
    ..GPT2
};

/// GPT-2 that finds the answer to a question.
pub static GPT2_SPAN: Family = Family {
    architecture: Some("GPT2ForQuestionAnswering"),
    start: || heads::span(start()),
    keys: &[KEYS],
    tensors: &[TENSORS, bert::SPAN_HEAD],
    ..GPT2
};

/// GPT-2 that makes a vector of a text.
pub static GPT2_VECTOR: Family = Family {
    architecture: Some("GPT2Model"),
    start: || heads::vector(start()),
    keys: &[KEYS],
    tensors: &[TENSORS, bert::DENSE],
    ..GPT2
};

/// What GPT-2 and its descendants say in the same words.
#[rustfmt::skip]
pub const KEYS: Keys = &[
    ("vocab_size", VOCABULARY),
    ("n_positions", Key::Size(|c| &mut c.positions)),
    ("n_embd", Key::Size(|c| &mut c.width)),
    ("n_layer", Key::Size(|c| &mut c.blocks)),
    ("n_head", Key::Size(|c| &mut c.heads)),
    ("activation_function", Key::Activation(|c| &mut feed_forward(c).activation)),
    ("n_inner", INNER),
    ("layer_norm_epsilon", EPSILON),
    ("resid_pdrop", Key::Number(|c| &mut c.dropout)),
    ("embd_pdrop", EMBEDDING_DROPOUT),
    ("attn_pdrop", Key::Number(|c| &mut c.attention_dropout)),
    ("initializer_range", Key::Number(|c| &mut c.initializer_range)),
    ("scale_attn_weights", Key::Flag(|c| &mut c.scaled_attention)),
    ("tie_word_embeddings", TIED),
    ("pad_token_id", PADDING),
    ("scale_attn_by_inverse_layer_idx", Key::Only("false")),
    ("reorder_and_upcast_attn", Key::Only("false")),
    ("add_cross_attention", Key::Only("false")),
    ("pruned_heads", Key::Only("{}")),
];

/// The width of the feed-forward part: four times that of hidden states where it is null, or not there.
pub const INNER: Key = Key::Derived {
    read: |config, value| {
        feed_forward(config).width = match value {
            None | Some(Value::Null) => config.width.saturating_mul(4),
            Some(value) => size(value)?,
        };
        Ok(())
    },
    write: |config| json!(config.feed_forward.map(|part| part.width)),
};

/// The dropout after the embeddings: here one number is for all of hidden states.
const EMBEDDING_DROPOUT: Key = Key::Custom {
    required: false,
    read: |_, _| Ok(()),
    write: |config| json!(config.dropout),
};

/// The names of embeddings and blocks.
#[rustfmt::skip]
pub const TENSORS: Names = &[
    ("embeddings.word", "$.wte"),
    ("embeddings.position", "$.wpe"),
    ("encoder.{}.attention_norm", "$.h.{}.ln_1"),
    ("encoder.{}.attention.query", "$.h.{}.attn.c_attn"),
    ("encoder.{}.attention.key", "$.h.{}.attn.c_attn"),
    ("encoder.{}.attention.value", "$.h.{}.attn.c_attn"),
    ("encoder.{}.attention.output", "$.h.{}.attn.c_proj"),
    ("encoder.{}.feed_forward_norm", "$.h.{}.ln_2"),
    ("encoder.{}.feed_forward.up", "$.h.{}.mlp.c_fc"),
    ("encoder.{}.feed_forward.down", "$.h.{}.mlp.c_proj"),
    ("final_norm", "$.ln_f"),
];

/// Norms before attention and the feed-forward part, learned positions, biases everywhere but in the
/// head, which is the table of word embeddings.
pub fn start() -> TransformerConfig {
    let bert = TransformerConfig::bert(50257, Vec::new());
    let bert = bert::sizes(bert, [768, 12, 12, 3072, 1024]);
    let mut config = TransformerConfig {
        token_types: 0,
        feed_forward: Some(FeedForwardConfig {
            width: 3072,
            activation: Activation::GeluTanh,
            gated: false,
            clip: None,
        }),
        embedding_norm: None,
        norm: NormConfig {
            scale: NormScale::InsideRoot(1e-5),
            ..bert.norm
        },
        norm_placement: NormPlacement::Before,
        pooler: None,
        head: Head::NextToken { tied: true },
        ..bert
    };
    config.attention.causal = true;
    config
}
