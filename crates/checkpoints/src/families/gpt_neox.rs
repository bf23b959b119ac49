//! GPT-NeoX (Black et al. 2022) and Pythia (Biderman et al. 2023), as language models: both parts of a block
//! read what came in, a share of a head's features is turned, and queries, keys and values are one map.

use super::{bert, heads, llama, starcoder2};
use crate::Family;
use crate::family::{Keys, Names};
use crate::keys::rotary::{POSITIONS, SHARED_PARAMETERS, THETA, share};
use crate::keys::{CLASSES, EPSILON, Key, PADDING, TIED, VOCABULARY, feed_forward, flag};
use relprop_rules::operations::Activation;
use relprop_transformer::{
    Biases, Branches, FeedForwardConfig, Head, InputConfig, TransformerConfig,
};
use serde_json::json;

/// GPT-NeoX.
pub static GPT_NEOX: Family = Family {
    name: "gpt_neox",
    architecture: Some("GPTNeoXForCausalLM"),
    start,
    keys: &[KEYS],
    ignored_keys: &["is_decoder"],
    base: "gpt_neox",
    tensors: &[TENSORS],
    variants: &[],
    grouped: FUSED,
    stacked: &[],
    untransposed: &[],
    // Masks and frequencies, which follow from the configuration, and the head where it is the table of
    // embeddings.
    ignored_tensors: &[
        "$.layers.{}.attention.bias",
        "$.layers.{}.attention.masked_bias",
        "$.layers.{}.attention.rotary_emb.inv_freq",
        "embed_out.weight",
    ],
};

/// GPT-NeoX that makes a vector of a text.
pub static VECTOR: Family = Family {
    architecture: Some("GPTNeoXModel"),
    start: || heads::vector(start()),
    keys: &[KEYS],
    tensors: &[bert::DENSE, TENSORS],
    ..GPT_NEOX
};

/// GPT-NeoX that classifies a text, read at its last token.
pub static LABELS: Family = Family {
    architecture: Some("GPTNeoXForSequenceClassification"),
    start: || heads::labels_at_end(start()),
    keys: &[KEYS, CLASSES],
    tensors: &[llama::SCORE, TENSORS],
    ..GPT_NEOX
};

/// GPT-NeoX with a label for each token.
pub static TOKEN_LABELS: Family = Family {
    architecture: Some("GPTNeoXForTokenClassification"),
    start: || heads::token_labels(start()),
    keys: &[KEYS, CLASSES],
    tensors: &[heads::CLASSIFIER, TENSORS],
    ..GPT_NEOX
};

/// GPT-NeoX that finds the answer to a question.
pub static SPAN: Family = Family {
    architecture: Some("GPTNeoXForQuestionAnswering"),
    start: || heads::span(start()),
    keys: &[KEYS],
    tensors: &[bert::SPAN_HEAD, TENSORS],
    ..GPT_NEOX
};

/// The maps that stand in one tensor head by head.
pub const FUSED: &[&str] = &[
    "encoder.{}.attention.query",
    "encoder.{}.attention.key",
    "encoder.{}.attention.value",
];

#[rustfmt::skip]
const KEYS: Keys = &[
    ("vocab_size", VOCABULARY),
    ("hidden_size", Key::Size(|c| &mut c.width)),
    ("num_hidden_layers", Key::Size(|c| &mut c.blocks)),
    ("num_attention_heads", Key::Size(|c| &mut c.heads)),
    ("intermediate_size", Key::Size(|c| &mut feed_forward(c).width)),
    ("hidden_act", Key::Activation(|c| &mut feed_forward(c).activation)),
    ("max_position_embeddings", POSITIONS),
    ("layer_norm_eps", EPSILON),
    ("rotary_pct", share::<25>()),
    ("rotary_emb_base", THETA),
    ("rope_scaling", SHARED_PARAMETERS),
    ("rope_parameters", SHARED_PARAMETERS),
    ("use_parallel_residual", PARALLEL),
    ("attention_bias", llama::ATTENTION_BIAS),
    ("attention_dropout", Key::Number(|c| &mut c.attention_dropout)),
    ("hidden_dropout", Key::Number(|c| &mut c.dropout)),
    ("initializer_range", Key::Number(|c| &mut c.initializer_range)),
    ("tie_word_embeddings", TIED),
    ("pad_token_id", PADDING),
];

/// Whether both parts of a block read what came in, by a norm each.
const PARALLEL: Key = Key::Custom {
    required: false,
    read: |config, value| {
        config.branches = match flag(value)? {
            true => Branches::Parallel,
            false => Branches::InTurn,
        };
        Ok(())
    },
    write: |config| json!(config.branches == Branches::Parallel),
};

#[rustfmt::skip]
const TENSORS: Names = &[
    ("embeddings.word", "$.embed_in"),
    ("encoder.{}.attention_norm", "$.layers.{}.input_layernorm"),
    ("encoder.{}.attention.query", "$.layers.{}.attention.query_key_value"),
    ("encoder.{}.attention.key", "$.layers.{}.attention.query_key_value"),
    ("encoder.{}.attention.value", "$.layers.{}.attention.query_key_value"),
    ("encoder.{}.attention.output", "$.layers.{}.attention.dense"),
    ("encoder.{}.feed_forward_norm", "$.layers.{}.post_attention_layernorm"),
    ("encoder.{}.feed_forward.up", "$.layers.{}.mlp.dense_h_to_4h"),
    ("encoder.{}.feed_forward.down", "$.layers.{}.mlp.dense_4h_to_h"),
    ("final_norm", "$.final_layer_norm"),
    ("classifier", "embed_out"),
];

fn start() -> TransformerConfig {
    let mut config = TransformerConfig {
        input: InputConfig::Tokens { vocabulary: 50432 },
        biases: Biases::default(),
        branches: Branches::Parallel,
        norm: starcoder2::layer_norm(1e-5),
        head: Head::NextToken { tied: false },
        ..bert::sizes(TransformerConfig::llama(0), [6144, 44, 64, 24576, 2048])
    };
    *feed_forward(&mut config) = FeedForwardConfig {
        width: 24576,
        activation: Activation::Gelu,
        gated: false,
        clip: None,
    };
    config
}
