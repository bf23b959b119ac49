//! OPT (Zhang et al. 2022), as a language model: a GPT-2 whose positions start at row 2, and with ReLU.

use relprop_rules::operations::Activation;
use serde_json::json;

use super::{bert, gpt2, heads, llama};
use crate::Family;
use crate::family::{Keys, Names};
use crate::keys::{CLASSES, Key, PADDING, TIED, VOCABULARY, feed_forward, flag, size};
use relprop_transformer::{Biases, InputConfig, NormPlacement, TransformerConfig};

/// OPT.
pub static OPT: Family = Family {
    name: "opt",
    architecture: Some("OPTForCausalLM"),
    start,
    keys: &[KEYS],
    // The share of blocks that training leaves out.
    ignored_keys: &["layerdrop"],
    base: "model.decoder",
    tensors: &[TENSORS, BLOCKS],
    variants: &[],
    grouped: &[],
    stacked: &[],
    untransposed: &[],
    ignored_tensors: &["lm_head.weight"],
};

/// OPT that makes a vector of a text.
pub static VECTOR: Family = Family {
    architecture: Some("OPTModel"),
    start: || heads::vector(start()),
    keys: &[KEYS],
    tensors: &[bert::DENSE, TENSORS, BLOCKS],
    ..OPT
};

/// OPT that classifies a text, read at its last token.
pub static LABELS: Family = Family {
    architecture: Some("OPTForSequenceClassification"),
    start: || heads::labels_at_end(start()),
    keys: &[KEYS, CLASSES],
    tensors: &[llama::SCORE, TENSORS, BLOCKS],
    ..OPT
};

/// OPT that finds the answer to a question.
pub static SPAN: Family = Family {
    architecture: Some("OPTForQuestionAnswering"),
    start: || heads::span(start()),
    keys: &[KEYS],
    tensors: &[bert::SPAN_HEAD, TENSORS, BLOCKS],
    ..OPT
};

#[rustfmt::skip]
const KEYS: Keys = &[
    ("vocab_size", VOCABULARY),
    ("hidden_size", Key::Size(|c| &mut c.width)),
    ("num_hidden_layers", Key::Size(|c| &mut c.blocks)),
    ("num_attention_heads", Key::Size(|c| &mut c.heads)),
    ("ffn_dim", Key::Size(|c| &mut feed_forward(c).width)),
    ("activation_function", Key::Activation(|c| &mut feed_forward(c).activation)),
    ("max_position_embeddings", Key::Size(|c| &mut c.positions)),
    ("word_embed_proj_dim", EMBEDDING_WIDTH),
    ("enable_bias", BIASES),
    ("layer_norm_elementwise_affine", Key::Flag(|c| &mut c.norm.affine)),
    ("dropout", Key::Number(|c| &mut c.dropout)),
    ("attention_dropout", Key::Number(|c| &mut c.attention_dropout)),
    ("init_std", Key::Number(|c| &mut c.initializer_range)),
    ("tie_word_embeddings", TIED),
    ("pad_token_id", PADDING),
    ("do_layer_norm_before", NORM_BEFORE),
    ("_remove_final_layer_norm", Key::Only("false")),
];

/// The width of embeddings: OPT-350m projects them to another one.
const EMBEDDING_WIDTH: Key = Key::Custom {
    required: false,
    read: |config, value| {
        let width = size(value)?;
        config.projected_words = width != config.width;
        config.embedding_width = config.projected_words.then_some(width);
        Ok(())
    },
    write: |config| json!(config.embedding_width.unwrap_or(config.width)),
};

/// Whether norms stand before attention and the feed-forward part. In OPT-350m they stand after the sums.
const NORM_BEFORE: Key = Key::Custom {
    required: false,
    read: |config, value| {
        config.norm_placement = match flag(value)? {
            true => NormPlacement::Before,
            false => NormPlacement::After,
        };
        Ok(())
    },
    write: |config| json!(config.norm_placement == NormPlacement::Before),
};

/// Whether the linear maps of the blocks have biases.
const BIASES: Key = Key::Custom {
    required: false,
    read: |config, value| {
        config.biases = match flag(value)? {
            true => Biases::default(),
            false => Biases::NONE,
        };
        Ok(())
    },
    write: |config| json!(config.biases == Biases::default()),
};

#[rustfmt::skip]
const TENSORS: Names = &[
    ("embeddings.projection", "$.project_in"),
    ("output_projection", "$.project_out"),
    ("final_norm", "$.final_layer_norm"),
    ("classifier", "lm_head"),
];

/// The names of embeddings and blocks in OPT and its relatives.
#[rustfmt::skip]
pub const BLOCKS: Names = &[
    ("embeddings.word", "$.embed_tokens"),
    ("embeddings.position", "$.embed_positions"),
    ("encoder.{}.attention_norm", "$.layers.{}.self_attn_layer_norm"),
    ("encoder.{}.attention.query", "$.layers.{}.self_attn.q_proj"),
    ("encoder.{}.attention.key", "$.layers.{}.self_attn.k_proj"),
    ("encoder.{}.attention.value", "$.layers.{}.self_attn.v_proj"),
    ("encoder.{}.attention.output", "$.layers.{}.self_attn.out_proj"),
    ("encoder.{}.feed_forward_norm", "$.layers.{}.final_layer_norm"),
    ("encoder.{}.feed_forward.up", "$.layers.{}.fc1"),
    ("encoder.{}.feed_forward.down", "$.layers.{}.fc2"),
];

/// The first token of a text stands in row 2 of the table of positions, and padding within a text takes a place.
pub fn start() -> TransformerConfig {
    let mut config = TransformerConfig {
        input: InputConfig::Tokens { vocabulary: 50272 },
        positions: 2048,
        first_position: 2,
        counted_padding: true,
        padding_token: 1,
        attention_dropout: 0.0,
        ..gpt2::start()
    };
    feed_forward(&mut config).activation = Activation::Relu;
    config
}
