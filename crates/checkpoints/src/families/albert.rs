//! ALBERT (Lan et al. 2020), for sequence classification: a BERT of one block that is run several times, with
//! narrower embeddings.

use relprop_rules::operations::Activation;
use serde_json::{Value, json};

use super::{bert, heads};
use crate::Family;
use crate::family::{Keys, Names};
use crate::keys::{CLASSES, Key, KeyError, feed_forward, size};
use relprop_transformer::{InputConfig, TransformerConfig};

/// ALBERT.
pub static ALBERT: Family = Family {
    name: "albert",
    architecture: Some("AlbertForSequenceClassification"),
    start,
    keys: &[bert::KEYS, CLASSES, bert::POSITIONS, OWN],
    ignored_keys: &["classifier_dropout_prob"],
    base: "albert",
    tensors: &[TENSORS],
    variants: &[],
    grouped: &[],
    stacked: &[],
    untransposed: &[],
    ignored_tensors: bert::BUFFERS,
};

/// ALBERT with a label for each token.
pub static TOKEN_LABELS: Family = Family {
    architecture: Some("AlbertForTokenClassification"),
    start: || heads::token_labels(start()),
    keys: &[bert::KEYS, bert::POSITIONS, OWN, CLASSES],
    tensors: &[heads::CLASSIFIER, TENSORS],
    ignored_tensors: LEFT_OVER,
    ..ALBERT
};

/// ALBERT that finds the answer to a question.
pub static SPAN: Family = Family {
    architecture: Some("AlbertForQuestionAnswering"),
    start: || heads::span(start()),
    keys: &[bert::KEYS, bert::POSITIONS, OWN],
    tensors: &[bert::SPAN_HEAD, TENSORS],
    ignored_tensors: LEFT_OVER,
    ..ALBERT
};

/// ALBERT that fills masks.
pub static MASKED_TOKEN: Family = Family {
    architecture: Some("AlbertForMaskedLM"),
    start: || heads::masked_token(start()),
    keys: &[
        bert::KEYS,
        bert::POSITIONS,
        OWN,
        heads::HIDDEN_ACTIVATION,
        bert::TIED_HEAD,
    ],
    tensors: &[MASK_HEAD, TENSORS],
    ignored_tensors: LEFT_OVER_BY_MASKS,
    ..ALBERT
};

/// The same as it comes out of its training, with a head besides for which sentence comes first.
pub static PRE_TRAINED: Family = Family {
    architecture: Some("AlbertForPreTraining"),
    ..MASKED_TOKEN
};

/// ALBERT that makes a vector of a text.
pub static VECTOR: Family = Family {
    architecture: Some("AlbertModel"),
    start: || heads::vector(start()),
    keys: &[bert::KEYS, bert::POSITIONS, OWN],
    tensors: &[bert::DENSE, TENSORS],
    ignored_tensors: LEFT_OVER,
    ..ALBERT
};

const OWN: Keys = &[
    ("embedding_size", EMBEDDINGS),
    // Several blocks of their own, which are run in turn.
    ("num_hidden_groups", Key::Only("1")),
    ("inner_group_num", Key::Only("1")),
];

/// The width of embeddings, which are projected. Those that are as wide as hidden states would be, too: that
/// is not computed.
const EMBEDDINGS: Key = Key::Derived {
    read: |config, value| {
        let width = match value {
            None | Some(Value::Null) => 128,
            Some(value) => size(value)?,
        };
        if width == config.width {
            let other = "another number than `hidden_size`";
            return Err(KeyError::only(&json!(width), other));
        }
        config.embedding_width = Some(width);
        Ok(())
    },
    write: |config| json!(config.embedding_width.unwrap_or(config.width)),
};

const LEFT_OVER: &[&str] = &[
    "$.embeddings.position_ids",
    "$.embeddings.token_type_ids",
    "$.pooler.weight",
    "$.pooler.bias",
];

const LEFT_OVER_BY_MASKS: &[&str] = &[
    "$.embeddings.position_ids",
    "$.embeddings.token_type_ids",
    "$.pooler.weight",
    "$.pooler.bias",
    "predictions.decoder.weight",
    "predictions.decoder.bias",
    "sop_classifier.classifier.weight",
    "sop_classifier.classifier.bias",
];

#[rustfmt::skip]
const MASK_HEAD: Names = &[
    ("transform.linear", "predictions.dense"),
    ("transform.norm", "predictions.LayerNorm"),
    ("classifier_bias", "predictions.bias"),
    ("classifier.bias", "predictions.bias"),
    ("classifier", "predictions.decoder"),
];

#[rustfmt::skip]
const TENSORS: Names = &[
    ("embeddings.word", "$.embeddings.word_embeddings"),
    ("embeddings.position", "$.embeddings.position_embeddings"),
    ("embeddings.token_type", "$.embeddings.token_type_embeddings"),
    ("embeddings.norm", "$.embeddings.LayerNorm"),
    ("embeddings.projection", "$.encoder.embedding_hidden_mapping_in"),
    ("encoder.{}.attention.query", "$.encoder.albert_layer_groups.{}.albert_layers.0.attention.query"),
    ("encoder.{}.attention.key", "$.encoder.albert_layer_groups.{}.albert_layers.0.attention.key"),
    ("encoder.{}.attention.value", "$.encoder.albert_layer_groups.{}.albert_layers.0.attention.value"),
    ("encoder.{}.attention.output", "$.encoder.albert_layer_groups.{}.albert_layers.0.attention.dense"),
    ("encoder.{}.attention_norm", "$.encoder.albert_layer_groups.{}.albert_layers.0.attention.LayerNorm"),
    ("encoder.{}.feed_forward.up", "$.encoder.albert_layer_groups.{}.albert_layers.0.ffn"),
    ("encoder.{}.feed_forward.down", "$.encoder.albert_layer_groups.{}.albert_layers.0.ffn_output"),
    ("encoder.{}.feed_forward_norm", "$.encoder.albert_layer_groups.{}.albert_layers.0.full_layer_layer_norm"),
    ("pooler.linear", "$.pooler"),
];

/// The sizes of the largest ALBERT, which transformers takes.
fn start() -> TransformerConfig {
    let mut config = TransformerConfig {
        input: InputConfig::Tokens { vocabulary: 30000 },
        shared_blocks: true,
        dropout: 0.0,
        attention_dropout: 0.0,
        ..bert::sizes(bert::start(), [4096, 12, 64, 16384, 512])
    };
    feed_forward(&mut config).activation = Activation::GeluTanh;
    config
}
