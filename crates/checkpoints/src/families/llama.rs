//! Llama 2, 3 and 3.x (Touvron et al. 2023), as a language model, and what its relatives share with it.

use relprop_rules::operations::NormScale;
use serde_json::{Value, json};

use super::{bert, heads};
use crate::Family;
use crate::family::{Keys, Names};
use crate::keys::{
    CLASSES, Key, KeyError, PADDING, TIED, VOCABULARY, feed_forward, flag, number, rotary, size,
};
use relprop_transformer::{Head, TransformerConfig};

/// Llama.
pub static LLAMA: Family = Family {
    name: "llama",
    architecture: Some("LlamaForCausalLM"),
    start,
    keys: &[KEYS, NORM, rotary::KEYS, PARTS, BIASES],
    // How a training was spread over machines.
    ignored_keys: &["pretraining_tp"],
    base: "model",
    tensors: &[TENSORS],
    variants: &[],
    grouped: &[],
    stacked: &[],
    untransposed: &[],
    ignored_tensors: IGNORED,
};

/// Llama that classifies a text, read at its last token.
pub static LLAMA_LABELS: Family = Family {
    architecture: Some("LlamaForSequenceClassification"),
    start: || heads::labels_at_end(start()),
    keys: &[KEYS, NORM, rotary::KEYS, PARTS, BIASES, CLASSES],
    tensors: &[SCORE, TENSORS],
    ..LLAMA
};

/// Llama with a label for each token.
pub static LLAMA_TOKEN_LABELS: Family = Family {
    architecture: Some("LlamaForTokenClassification"),
    start: || heads::token_labels(start()),
    keys: &[KEYS, NORM, rotary::KEYS, PARTS, BIASES, CLASSES],
    tensors: &[SCORE, TENSORS],
    ..LLAMA
};

/// Llama that finds the answer to a question.
pub static LLAMA_SPAN: Family = Family {
    architecture: Some("LlamaForQuestionAnswering"),
    start: || heads::span(start()),
    keys: &[KEYS, NORM, rotary::KEYS, PARTS, BIASES],
    base: "transformer",
    tensors: &[bert::SPAN_HEAD, TENSORS],
    ..LLAMA
};

/// Llama that makes a vector of a text.
pub static LLAMA_VECTOR: Family = Family {
    architecture: Some("LlamaModel"),
    start: || heads::vector(start()),
    keys: &[KEYS, NORM, rotary::KEYS, PARTS, BIASES],
    tensors: &[bert::DENSE, TENSORS],
    ..LLAMA
};

/// What Llama and its relatives say in the same words.
#[rustfmt::skip]
pub const KEYS: Keys = &[
    ("vocab_size", VOCABULARY),
    ("hidden_size", Key::Size(|c| &mut c.width)),
    ("intermediate_size", Key::Size(|c| &mut feed_forward(c).width)),
    ("num_hidden_layers", Key::Size(|c| &mut c.blocks)),
    ("num_attention_heads", Key::Size(|c| &mut c.heads)),
    ("num_key_value_heads", KEY_HEADS),
    ("max_position_embeddings", rotary::POSITIONS),
    ("attention_dropout", Key::Number(|c| &mut c.attention_dropout)),
    ("initializer_range", Key::Number(|c| &mut c.initializer_range)),
    ("tie_word_embeddings", TIED),
    ("pad_token_id", PADDING),
];

/// The epsilon of an RMSNorm.
pub const NORM: Keys = &[("rms_norm_eps", EPSILON)];

/// What most of them say in the same words.
pub const PARTS: Keys = &[("head_dim", HEAD_WIDTH), ("hidden_act", ACTIVATION)];

/// The activation of the feed-forward part.
pub const ACTIVATION: Key = Key::Activation(|c| &mut feed_forward(c).activation);

/// Biases in attention and in the feed-forward part, where the checkpoint has them.
pub const BIASES: Keys = &[
    ("attention_bias", ATTENTION_BIAS),
    ("mlp_bias", Key::Flag(|c| &mut c.biases.feed_forward)),
];

/// Whether all four linear maps of attention have a bias.
pub const ATTENTION_BIAS: Key = Key::Custom {
    required: false,
    read: |config, value| {
        let has = flag(value)?;
        config.biases.attention = has;
        config.biases.attention_output = has;
        Ok(())
    },
    write: |config| json!(config.biases.attention && config.biases.attention_output),
};

/// The heads of keys and values: as many as those of queries where it is null.
const KEY_HEADS: Key = Key::Derived {
    read: |config, value| {
        let heads = match value {
            None => config.key_heads(),
            Some(Value::Null) => config.heads,
            Some(value) => size(value)?,
        };
        config.attention.key_heads = (heads != config.heads).then_some(heads);
        Ok(())
    },
    write: |config| json!(config.key_heads()),
};

/// The width of a head: the width of hidden states by the number of heads unless it is given.
pub const HEAD_WIDTH: Key = Key::Custom {
    required: false,
    read: read_head_width,
    write: |config| json!(config.head_width()),
};

/// The same where a configuration has no width of a head, unless it is an unusual one.
pub const OWN_HEAD_WIDTH: Key = Key::Custom {
    required: false,
    read: read_head_width,
    write: |config| json!(config.attention.head_width),
};

/// The width of a head: `USUAL` where the file is silent.
pub const fn head_width_or<const USUAL: usize>() -> Key {
    Key::Derived {
        read: |config, value| {
            let said = value.filter(|value| !value.is_null());
            read_head_width(config, said.unwrap_or(&json!(USUAL)))
        },
        write: |config| json!(config.head_width()),
    }
}

/// The width of a head, in these words, and the activation of the feed-forward part.
pub const OWN_PARTS: Keys = &[("head_dim", OWN_HEAD_WIDTH), ("hidden_act", ACTIVATION)];

/// Reads the width of a head; it is left out of the configuration where it is the usual one.
///
/// # Errors
///
/// A [`KeyError`] if it is no width.
pub fn read_head_width(config: &mut TransformerConfig, value: &Value) -> Result<(), KeyError> {
    let width = size(value)?;
    let usual = config.heads.checked_mul(width) == Some(config.width);
    config.attention.head_width = (!usual).then_some(width);
    Ok(())
}

/// The epsilon inside the root of every norm.
const EPSILON: Key = Key::Custom {
    required: false,
    read: |config, value| {
        config.norm.scale = NormScale::RootMeanSquare(number(value)?);
        Ok(())
    },
    write: |config| json!(config.norm.scale.epsilon()),
};

/// The names of tensors in Llama and the families derived from it.
#[rustfmt::skip]
pub const TENSORS: Names = &[
    ("embeddings.word", "$.embed_tokens"),
    ("encoder.{}.attention_norm", "$.layers.{}.input_layernorm"),
    ("encoder.{}.attention.query", "$.layers.{}.self_attn.q_proj"),
    ("encoder.{}.attention.key", "$.layers.{}.self_attn.k_proj"),
    ("encoder.{}.attention.value", "$.layers.{}.self_attn.v_proj"),
    ("encoder.{}.attention.query_norm", "$.layers.{}.self_attn.q_norm"),
    ("encoder.{}.attention.key_norm", "$.layers.{}.self_attn.k_norm"),
    ("encoder.{}.attention.output", "$.layers.{}.self_attn.o_proj"),
    ("encoder.{}.feed_forward_norm", "$.layers.{}.post_attention_layernorm"),
    ("encoder.{}.feed_forward.up", "$.layers.{}.mlp.up_proj"),
    ("encoder.{}.feed_forward.gate", "$.layers.{}.mlp.gate_proj"),
    ("encoder.{}.feed_forward.down", "$.layers.{}.mlp.down_proj"),
    ("final_norm", "$.norm"),
    ("classifier", "lm_head"),
];

/// The head of a language model.
pub const HEAD: Names = &[("classifier", "lm_head")];

/// The head that classifies texts or tokens. A list of names goes before those after it.
pub const SCORE: Names = &[("classifier", "score")];

/// The frequencies of rotary positions, which follow from the configuration, and the head where it is
/// the table of embeddings.
pub const IGNORED: &[&str] = &[
    "$.layers.{}.self_attn.rotary_emb.inv_freq",
    "$.rotary_emb.inv_freq",
    "lm_head.weight",
];

/// Rotary positions, RMSNorm before attention and the feed-forward part, which is gated, no biases,
/// and a head of its own.
pub fn start() -> TransformerConfig {
    TransformerConfig {
        head: Head::NextToken { tied: false },
        ..bert::sizes(TransformerConfig::llama(32000), [4096, 32, 32, 11008, 2048])
    }
}
