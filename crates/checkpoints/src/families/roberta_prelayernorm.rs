//! A RoBERTa whose norms stand before its parts (Ott et al. 2019, in fairseq).

use super::{bert, heads, roberta};
use crate::Family;
use crate::family::Names;
use relprop_transformer::{NormPlacement, TransformerConfig};

/// RoBERTa with norms before its parts.
pub static ROBERTA_PRELAYERNORM: Family = Family {
    name: NAME,
    architecture: Some("RobertaPreLayerNormForSequenceClassification"),
    start,
    base: "roberta_prelayernorm",
    tensors: &[NORMS, bert::TENSORS, roberta::HEAD],
    ..roberta::ROBERTA
};

/// RoBERTa with norms before its parts with a label for each token.
pub static TOKEN_LABELS: Family = Family {
    name: NAME,
    architecture: Some("RobertaPreLayerNormForTokenClassification"),
    start: || heads::token_labels(start()),
    base: "roberta_prelayernorm",
    tensors: &[NORMS, bert::TENSORS],
    ..roberta::TOKEN_LABELS
};

/// RoBERTa with norms before its parts that finds the answer to a question.
pub static SPAN: Family = Family {
    name: NAME,
    architecture: Some("RobertaPreLayerNormForQuestionAnswering"),
    start: || heads::span(start()),
    base: "roberta_prelayernorm",
    tensors: &[NORMS, bert::TENSORS, bert::SPAN_HEAD],
    ..roberta::SPAN
};

/// RoBERTa with norms before its parts that fills masks.
pub static MASKED_TOKEN: Family = Family {
    name: NAME,
    architecture: Some("RobertaPreLayerNormForMaskedLM"),
    start: || heads::masked_token(start()),
    base: "roberta_prelayernorm",
    tensors: &[NORMS, bert::TENSORS, roberta::MASK_HEAD],
    ..roberta::MASKED_TOKEN
};

/// RoBERTa with norms before its parts that makes a vector of a text.
pub static VECTOR: Family = Family {
    name: NAME,
    architecture: Some("RobertaPreLayerNormModel"),
    start: || heads::vector(start()),
    base: "roberta_prelayernorm",
    tensors: &[NORMS, bert::TENSORS, bert::DENSE],
    ..roberta::VECTOR
};

const NAME: &str = "roberta-prelayernorm";

#[rustfmt::skip]
const NORMS: Names = &[
    ("encoder.{}.attention_norm", "$.encoder.layer.{}.attention.LayerNorm"),
    ("encoder.{}.feed_forward_norm", "$.encoder.layer.{}.intermediate.LayerNorm"),
    ("final_norm", "$.LayerNorm"),
];

fn start() -> TransformerConfig {
    TransformerConfig {
        norm_placement: NormPlacement::Before,
        ..roberta::start()
    }
}
