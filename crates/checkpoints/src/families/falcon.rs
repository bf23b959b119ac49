//! Falcon (Almazrouei et al. 2023), as a language model: both parts of a block read what came in by one norm,
//! and all heads share one of keys and values.

use super::{bert, gpt_neox, gpt2, heads, llama, starcoder2};
use crate::Family;
use crate::family::{Keys, Names};
use crate::keys::{
    CLASSES, EPSILON, Key, KeyError, PADDING, TIED, VOCABULARY, feed_forward, flag, rotary, size,
};
use relprop_rules::operations::Activation;
use relprop_transformer::{
    Biases, Branches, FeedForwardConfig, Head, InputConfig, PositionBias, TransformerConfig,
};
use serde_json::json;

/// Falcon.
pub static FALCON: Family = Family {
    name: "falcon",
    architecture: Some("FalconForCausalLM"),
    start,
    keys: &[KEYS, rotary::KEYS, ALIBI],
    ignored_keys: &[],
    base: "transformer",
    tensors: &[TENSORS],
    variants: &[(has_two_norms, TWO_NORMS)],
    // Where there is one head of keys, the first piece has all of the tensor.
    grouped: gpt_neox::FUSED,
    stacked: &[],
    untransposed: &[],
    ignored_tensors: &["$.h.{}.self_attention.rotary.inv_freq", "lm_head.weight"],
};

/// Falcon that makes a vector of a text.
pub static VECTOR: Family = Family {
    architecture: Some("FalconModel"),
    start: || heads::vector(start()),
    keys: &[KEYS, rotary::KEYS, ALIBI],
    tensors: &[bert::DENSE, TENSORS],
    ..FALCON
};

/// Falcon that classifies a text, read at its last token.
pub static LABELS: Family = Family {
    architecture: Some("FalconForSequenceClassification"),
    start: || heads::labels_at_end(start()),
    keys: &[KEYS, rotary::KEYS, ALIBI, CLASSES],
    tensors: &[llama::SCORE, TENSORS],
    ..FALCON
};

/// Falcon with a label for each token.
pub static TOKEN_LABELS: Family = Family {
    architecture: Some("FalconForTokenClassification"),
    start: || heads::token_labels(start()),
    keys: &[KEYS, rotary::KEYS, ALIBI, CLASSES],
    tensors: &[heads::CLASSIFIER, TENSORS],
    ..FALCON
};

/// Falcon that finds the answer to a question.
pub static SPAN: Family = Family {
    architecture: Some("FalconForQuestionAnswering"),
    start: || heads::span(start()),
    keys: &[KEYS, rotary::KEYS, ALIBI],
    tensors: &[bert::SPAN_HEAD, TENSORS],
    ..FALCON
};

#[rustfmt::skip]
const KEYS: Keys = &[
    ("vocab_size", VOCABULARY),
    ("hidden_size", Key::Size(|c| &mut c.width)),
    ("num_hidden_layers", Key::Size(|c| &mut c.blocks)),
    ("num_attention_heads", Key::Size(|c| &mut c.heads)),
    ("ffn_hidden_size", gpt2::INNER),
    ("activation", Key::Activation(|c| &mut feed_forward(c).activation)),
    ("max_position_embeddings", rotary::POSITIONS),
    ("layer_norm_epsilon", EPSILON),
    ("multi_query", ONE_HEAD_OF_KEYS),
    ("parallel_attn", PARALLEL),
    ("bias", BIASES),
    ("attention_dropout", Key::Number(|c| &mut c.attention_dropout)),
    ("hidden_dropout", Key::Number(|c| &mut c.dropout)),
    ("initializer_range", Key::Number(|c| &mut c.initializer_range)),
    ("tie_word_embeddings", TIED),
    ("pad_token_id", PADDING),
    ("new_decoder_architecture", NEW),
    ("num_kv_heads", KEY_HEADS),
    ("num_ln_in_parallel_attn", NORMS),
];

/// Whether positions are a bias of scores and not rotations. What the file says of rotations then means nothing.
const ALIBI: Keys = &[(
    "alibi",
    Key::Custom {
        required: false,
        read: |config, value| {
            if flag(value)? {
                config.attention.rotary = None;
                config.attention.bias = Some(PositionBias::LinearRounded);
            }
            Ok(())
        },
        write: |config| json!(config.attention.bias.is_some()),
    },
)];

/// Falcon-40B and later: any number of heads of keys, and a norm for each part of a block unless it says otherwise.
const NEW: Key = Key::Custom {
    required: false,
    read: |config, value| {
        if flag(value)? {
            if config.branches == Branches::InTurn {
                return Err(KeyError::new("is true, but `parallel_attn` is false"));
            }
            config.branches = Branches::Parallel;
            config.attention.key_heads = None;
        }
        Ok(())
    },
    write: |config| json!(is_new(config)),
};

const KEY_HEADS: Key = Key::Custom {
    required: false,
    read: |config, value| {
        let heads = size(value)?;
        if config.branches == Branches::Parallel {
            config.attention.key_heads = (heads != config.heads).then_some(heads);
        }
        Ok(())
    },
    write: |config| json!(config.key_heads()),
};

const NORMS: Key = Key::Custom {
    required: false,
    read: |config, value| {
        if config.branches == Branches::Parallel {
            config.branches = match size(value)? {
                1 => Branches::ParallelOneNorm,
                2 => Branches::Parallel,
                _ => return Err(KeyError::must_be(value, "1 or 2")),
            };
        }
        Ok(())
    },
    write: |config| match (is_new(config), config.branches) {
        (true, Branches::ParallelOneNorm) => json!(1),
        (true, _) => json!(2),
        _ => json!(null),
    },
};

fn is_new(config: &TransformerConfig) -> bool {
    let heads = config.key_heads();
    config.branches == Branches::Parallel || (heads > 1 && heads < config.heads)
}

/// Whether all heads share one of keys and values.
const ONE_HEAD_OF_KEYS: Key = Key::Custom {
    required: false,
    read: |config, value| {
        config.attention.key_heads = flag(value)?.then_some(1);
        Ok(())
    },
    write: |config| json!(config.attention.key_heads == Some(1)),
};

/// Whether both parts of a block read what came in, by one norm.
const PARALLEL: Key = Key::Custom {
    required: false,
    read: |config, value| {
        config.branches = match flag(value)? {
            true => Branches::ParallelOneNorm,
            false => Branches::InTurn,
        };
        Ok(())
    },
    write: |config| json!(config.branches != Branches::InTurn),
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

/// What Falcon and BLOOM call their tensors.
#[rustfmt::skip]
pub const TENSORS: Names = &[
    ("embeddings.word", "$.word_embeddings"),
    ("encoder.{}.attention_norm", "$.h.{}.input_layernorm"),
    ("encoder.{}.attention.query", "$.h.{}.self_attention.query_key_value"),
    ("encoder.{}.attention.key", "$.h.{}.self_attention.query_key_value"),
    ("encoder.{}.attention.value", "$.h.{}.self_attention.query_key_value"),
    ("encoder.{}.attention.output", "$.h.{}.self_attention.dense"),
    ("encoder.{}.feed_forward_norm", "$.h.{}.post_attention_layernorm"),
    ("encoder.{}.feed_forward.up", "$.h.{}.mlp.dense_h_to_4h"),
    ("encoder.{}.feed_forward.down", "$.h.{}.mlp.dense_4h_to_h"),
    ("final_norm", "$.ln_f"),
    ("classifier", "lm_head"),
];

fn has_two_norms(config: &TransformerConfig) -> bool {
    config.branches == Branches::Parallel
}

/// What norms are called where each part of a block has one.
#[rustfmt::skip]
const TWO_NORMS: Names = &[
    ("encoder.{}.attention_norm", "$.h.{}.ln_attn"),
    ("encoder.{}.feed_forward_norm", "$.h.{}.ln_mlp"),
];

fn start() -> TransformerConfig {
    let mut config = TransformerConfig {
        input: InputConfig::Tokens { vocabulary: 65024 },
        branches: Branches::ParallelOneNorm,
        norm: starcoder2::layer_norm(1e-5),
        head: Head::NextToken { tied: true },
        ..bert::sizes(TransformerConfig::llama(0), [4544, 32, 71, 18176, 2048])
    };
    config.attention.key_heads = Some(1);
    *feed_forward(&mut config) = FeedForwardConfig {
        width: 18176,
        activation: Activation::Gelu,
        gated: false,
        clip: None,
    };
    config
}
