//! UMT5 (Chung et al. 2023): an mT5 whose blocks have a bias of distances each.

use super::{bart, bert, heads, mt5, t5};
use crate::Family;
use crate::family::Names;
use relprop_transformer::{PositionBias, TransformerConfig};

/// UMT5.
pub static UMT5: Family = Family {
    name: "umt5",
    architecture: Some("UMT5ForConditionalGeneration"),
    start,
    tensors: &[OWN_BIASES, t5::TENSORS],
    ..t5::T5
};

/// UMT5 that classifies a text.
pub static LABELS: Family = Family {
    name: "umt5",
    architecture: Some("UMT5ForSequenceClassification"),
    start: || t5::labels(start()),
    tensors: &[bart::CLASSIFIER, OWN_BIASES, t5::TENSORS],
    ..t5::LABELS
};

/// UMT5's encoder with a label for each token.
pub static TOKEN_LABELS: Family = Family {
    name: "umt5",
    architecture: Some("UMT5ForTokenClassification"),
    start: || t5::encoder(heads::token_labels(start())),
    tensors: &[heads::CLASSIFIER, t5::LAST_NORM, OWN_BIASES, t5::TENSORS],
    ..t5::TOKEN_LABELS
};

/// UMT5 that finds the answer to a question.
pub static SPAN: Family = Family {
    name: "umt5",
    architecture: Some("UMT5ForQuestionAnswering"),
    start: || t5::spans(start()),
    tensors: &[bert::SPAN_HEAD, OWN_BIASES, t5::TENSORS],
    ..t5::SPAN
};

/// UMT5's encoder, which makes a vector of a text.
pub static VECTOR: Family = Family {
    name: "umt5",
    architecture: Some("UMT5EncoderModel"),
    start: || t5::encoder(heads::vector(start())),
    tensors: &[bert::DENSE, t5::LAST_NORM, OWN_BIASES, t5::TENSORS],
    ..t5::VECTOR
};

#[rustfmt::skip]
const OWN_BIASES: Names = &[
    ("encoder.{}.attention.position_bias", "$.encoder.block.{}.layer.0.SelfAttention.relative_attention_bias"),
    ("decoder.blocks.{}.attention.position_bias", "$.decoder.block.{}.layer.0.SelfAttention.relative_attention_bias"),
];

fn start() -> TransformerConfig {
    let mut config = mt5::start();
    if let Some(PositionBias::Learned { by_block, .. }) = &mut config.attention.bias {
        *by_block = true;
    }
    config
}
