//! ModernBERT (Warner et al. 2024): a BERT with rotary positions, gated feed-forward parts, norms before the parts
//! and without shift, and a window on both sides in two of three blocks.

use relprop_rules::operations::{Activation, NormScale};
use serde_json::{Value, json};

use super::{bert, gemma3, heads, llama};
use crate::Family;
use crate::family::{Keys, Names};
use crate::keys::{
    CLASSES, EPSILON, Key, KeyError, PADDING, VOCABULARY, activation, blocks, feed_forward, flag,
    name, rotary, size,
};
use relprop_transformer::{
    Biases, Head, InputConfig, NormPlacement, RotaryConfig, TransformerConfig,
};

/// ModernBERT.
pub static MODERNBERT: Family = Family {
    name: "modernbert",
    architecture: Some("ModernBertForSequenceClassification"),
    start: || {
        with_pooler(TransformerConfig {
            labels: crate::keys::numbered(2),
            ..start()
        })
    },
    keys: &[KEYS, HEAD, POOLING, CLASSES],
    ignored_keys: IGNORED_KEYS,
    base: "model",
    tensors: &[POOLER, heads::CLASSIFIER, TENSORS],
    variants: &[],
    grouped: &[],
    stacked: &[],
    untransposed: &[],
    ignored_tensors: &[],
};

/// ModernBERT with a label for each token.
pub static TOKEN_LABELS: Family = Family {
    architecture: Some("ModernBertForTokenClassification"),
    start: || with_pooler(heads::token_labels(start())),
    keys: &[KEYS, HEAD, CLASSES],
    ignored_keys: IGNORED_BY_OTHERS,
    ..MODERNBERT
};

/// ModernBERT that finds the answer to a question.
pub static SPAN: Family = Family {
    architecture: Some("ModernBertForQuestionAnswering"),
    start: || with_pooler(heads::span(start())),
    keys: &[KEYS, HEAD],
    ignored_keys: IGNORED_BY_OTHERS,
    ..MODERNBERT
};

/// ModernBERT that fills masks.
pub static MASKED_TOKEN: Family = Family {
    architecture: Some("ModernBertForMaskedLM"),
    start: || TransformerConfig {
        unbiased_head: true,
        ..heads::masked_token(start())
    },
    keys: &[KEYS, HEAD, MASKS],
    ignored_keys: IGNORED_BY_OTHERS,
    tensors: &[MASK_HEAD, TENSORS],
    ignored_tensors: &["decoder.weight"],
    ..MODERNBERT
};

/// ModernBERT that makes a vector of a text.
pub static VECTOR: Family = Family {
    architecture: Some("ModernBertModel"),
    start: || heads::vector(start()),
    keys: &[KEYS],
    ignored_keys: IGNORED_BY_VECTORS,
    tensors: &[bert::DENSE, TENSORS],
    // Heads of a model that had one.
    ignored_tensors: &[
        "head.dense.weight",
        "head.norm.weight",
        "decoder.weight",
        "decoder.bias",
    ],
    ..MODERNBERT
};

/// Dropout, how weights are drawn, and what is done when a loss is computed.
const IGNORED_KEYS: &[&str] = &[
    "cls_token_id",
    "sep_token_id",
    "embedding_dropout",
    "mlp_dropout",
    "classifier_dropout",
    "initializer_cutoff_factor",
    "deterministic_flash_attn",
    "sparse_prediction",
    "sparse_pred_ignore_index",
    "decoder_bias",
    "tie_word_embeddings",
];

/// The same, and what the whole text is classified by.
const IGNORED_BY_OTHERS: &[&str] = &[
    "cls_token_id",
    "sep_token_id",
    "embedding_dropout",
    "mlp_dropout",
    "classifier_dropout",
    "initializer_cutoff_factor",
    "deterministic_flash_attn",
    "sparse_prediction",
    "sparse_pred_ignore_index",
    "decoder_bias",
    "tie_word_embeddings",
    "classifier_pooling",
];

/// The same, and the rest of a head.
const IGNORED_BY_VECTORS: &[&str] = &[
    "cls_token_id",
    "sep_token_id",
    "embedding_dropout",
    "mlp_dropout",
    "classifier_dropout",
    "initializer_cutoff_factor",
    "deterministic_flash_attn",
    "sparse_prediction",
    "sparse_pred_ignore_index",
    "decoder_bias",
    "tie_word_embeddings",
    "classifier_pooling",
    "classifier_activation",
    "classifier_bias",
];

#[rustfmt::skip]
const KEYS: Keys = &[
    ("vocab_size", VOCABULARY),
    ("hidden_size", Key::Size(|c| &mut c.width)),
    ("intermediate_size", Key::Size(|c| &mut feed_forward(c).width)),
    ("num_hidden_layers", Key::Size(|c| &mut c.blocks)),
    ("num_attention_heads", Key::Size(|c| &mut c.heads)),
    ("hidden_activation", Key::Activation(|c| &mut feed_forward(c).activation)),
    ("max_position_embeddings", Key::Size(|c| &mut c.positions)),
    ("initializer_range", Key::Number(|c| &mut c.initializer_range)),
    ("norm_bias", NORM_BIAS),
    ("norm_eps", EPSILON),
    ("pad_token_id", PADDING),
    ("attention_dropout", Key::Number(|c| &mut c.attention_dropout)),
    ("attention_bias", llama::ATTENTION_BIAS),
    ("mlp_bias", Key::Flag(|c| &mut c.biases.feed_forward)),
    ("global_rope_theta", rotary::THETA),
    ("local_attention", WINDOW),
    ("global_attn_every_n_layers", PATTERN),
    ("layer_types", gemma3::TYPES),
    ("local_rope_theta", gemma3::LOCAL_THETA),
    ("rope_parameters", gemma3::PARAMETERS),
];

/// What every head says of the map, the activation and the norm before its last map.
const HEAD: Keys = &[
    ("classifier_activation", ACTIVATION),
    (
        "classifier_bias",
        Key::Custom {
            required: false,
            read: |config, value| {
                config.unbiased_head = !flag(value)?;
                Ok(())
            },
            write: |config| json!(!config.unbiased_head),
        },
    ),
];

const MASKS: Keys = &[
    ("decoder_bias", Key::Only("true")),
    ("tie_word_embeddings", crate::keys::TIED),
];

/// Which token, or whether all of them, the label of a text comes from.
const POOLING: Keys = &[(
    "classifier_pooling",
    Key::Derived {
        read: |config, value| {
            let value = value.unwrap_or(&Value::Null);
            config.head = match value.as_str() {
                Some("mean") => Head::LabelsOfMean,
                Some("cls") => Head::Labels,
                None if value.is_null() => Head::Labels,
                _ => return Err(KeyError::only(value, "`cls` or `mean`")),
            };
            Ok(())
        },
        write: |config| match config.head {
            Head::LabelsOfMean => json!("mean"),
            _ => json!("cls"),
        },
    },
)];

const ACTIVATION: Key = Key::Custom {
    required: false,
    read: |config, value| {
        let found = activation(value)?;
        match &mut config.head {
            Head::MaskedToken { activation, .. } => *activation = Some(found),
            _ => config.pooler = Some(found),
        }
        Ok(())
    },
    write: |config| match config.head {
        Head::MaskedToken { activation, .. } => json!(activation.map(name)),
        _ => json!(config.pooler.map(name)),
    },
};

const NORM_BIAS: Key = Key::Custom {
    required: false,
    read: |config, value| {
        config.norm.unshifted = !flag(value)?;
        config.embedding_norm = Some(config.norm);
        Ok(())
    },
    write: |config| json!(!config.norm.unshifted),
};

/// How many tokens a window has, both sides together: half of them on each side, besides the token itself.
const WINDOW: Key = Key::Derived {
    read: |config, value| {
        let both = match value {
            None | Some(Value::Null) => 128,
            Some(value) => size(value)?,
        };
        config.attention.window = Some(both / 2 + 1);
        Ok(())
    },
    write: |config| json!(blocks::window(config).map_or(128, |window| (window - 1) * 2)),
};

/// Every so many blocks, one looks at all tokens, the first one to begin with.
const PATTERN: Key = Key::Derived {
    read: |config, value| {
        let pattern = match value {
            None | Some(Value::Null) => 3,
            Some(value) => size(value)?,
        };
        if pattern == 0 {
            return Err(KeyError::must_be(&json!(0), "at least 1"));
        }
        gemma3::by_block(
            config,
            None,
            |index| !index.is_multiple_of(pattern),
            gemma3::OWN_ROTATION,
        )
    },
    // The list of the kinds of blocks says more.
    write: |_| json!(3),
};

#[rustfmt::skip]
const POOLER: Names = &[
    ("pooler.linear", "head.dense"),
    ("pooler.norm", "head.norm"),
];

#[rustfmt::skip]
const MASK_HEAD: Names = &[
    ("transform.linear", "head.dense"),
    ("transform.norm", "head.norm"),
    ("classifier_bias", "decoder.bias"),
    ("classifier.bias", "decoder.bias"),
    ("classifier", "decoder"),
];

#[rustfmt::skip]
const TENSORS: Names = &[
    ("embeddings.word", "$.embeddings.tok_embeddings"),
    ("embeddings.norm", "$.embeddings.norm"),
    ("encoder.{}.attention_norm", "$.layers.{}.attn_norm"),
    ("encoder.{}.attention.query", "$.layers.{}.attn.Wqkv"),
    ("encoder.{}.attention.key", "$.layers.{}.attn.Wqkv"),
    ("encoder.{}.attention.value", "$.layers.{}.attn.Wqkv"),
    ("encoder.{}.attention.output", "$.layers.{}.attn.Wo"),
    ("encoder.{}.feed_forward_norm", "$.layers.{}.mlp_norm"),
    ("encoder.{}.feed_forward.gate", "$.layers.{}.mlp.Wi"),
    ("encoder.{}.feed_forward.up", "$.layers.{}.mlp.Wi"),
    ("encoder.{}.feed_forward.down", "$.layers.{}.mlp.Wo"),
    ("final_norm", "$.final_norm"),
];

fn with_pooler(config: TransformerConfig) -> TransformerConfig {
    TransformerConfig {
        pooler: Some(Activation::Gelu),
        pooler_norm: true,
        unbiased_head: true,
        ..config
    }
}

fn start() -> TransformerConfig {
    let mut config = TransformerConfig {
        input: InputConfig::Tokens { vocabulary: 50368 },
        token_types: 0,
        padding_token: 50283,
        norm_placement: NormPlacement::Before,
        bare_first_block: true,
        pooler: None,
        biases: Biases::NONE,
        dropout: 0.0,
        attention_dropout: 0.0,
        ..bert::sizes(bert::start(), [768, 22, 12, 1152, 8192])
    };
    feed_forward(&mut config).gated = true;
    config.norm.scale = NormScale::InsideRoot(1e-5);
    config.norm.unshifted = true;
    config.embedding_norm = Some(config.norm);
    config.attention.rotary = Some(RotaryConfig::new(160_000.0));
    config
}
