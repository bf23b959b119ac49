//! DeBERTa (He et al. 2021), the first version: distances have linear maps of their own, and those of contents stand
//! head by head in one tensor.

use super::deberta::{
    BOTH, LEFT_OVER, LEFT_OVER_BY_MASKS, LONGEST, MASKS, NO_TABLE, POOLER, REQUIRED, SAME_WIDTH,
    distances,
};
use super::{bert, heads};
use crate::Family;
use crate::family::{Keys, Names};
use crate::keys::{CLASSES, Key};
use relprop_rules::operations::{Activation, NormScale};
use relprop_transformer::{InputConfig, TransformerConfig};

/// DeBERTa.
pub static DEBERTA: Family = Family {
    name: "deberta",
    architecture: Some("DebertaForSequenceClassification"),
    start,
    keys: &[bert::KEYS, CLASSES, bert::POSITIONS, OWN],
    // Dropout, and what a head of masked words is called.
    ignored_keys: &["pooler_dropout", "cls_dropout", "legacy"],
    base: "deberta",
    tensors: &[TENSORS, bert::TENSORS],
    variants: &[],
    grouped: &[
        "encoder.{}.attention.query.weight",
        "encoder.{}.attention.key.weight",
        "encoder.{}.attention.value.weight",
    ],
    stacked: &[],
    untransposed: &[],
    ignored_tensors: bert::BUFFERS,
};

/// DeBERTa with a label for each token.
pub static TOKEN_LABELS: Family = Family {
    architecture: Some("DebertaForTokenClassification"),
    start: || heads::token_labels(start()),
    keys: &[bert::KEYS, bert::POSITIONS, OWN, CLASSES],
    tensors: &[heads::CLASSIFIER, TENSORS, bert::TENSORS],
    ignored_tensors: LEFT_OVER,
    ..DEBERTA
};

/// DeBERTa that finds the answer to a question.
pub static SPAN: Family = Family {
    architecture: Some("DebertaForQuestionAnswering"),
    start: || heads::span(start()),
    keys: &[bert::KEYS, bert::POSITIONS, OWN],
    tensors: &[bert::SPAN_HEAD, TENSORS, bert::TENSORS],
    ignored_tensors: LEFT_OVER,
    ..DEBERTA
};

/// DeBERTa that fills masks.
pub static MASKED_TOKEN: Family = Family {
    architecture: Some("DebertaForMaskedLM"),
    start: || heads::masked_token(start()),
    keys: &[
        bert::KEYS,
        bert::POSITIONS,
        OWN,
        heads::HIDDEN_ACTIVATION,
        bert::TIED_HEAD,
        MASKS,
    ],
    tensors: &[bert::MASK_HEAD, TENSORS, bert::TENSORS],
    ignored_tensors: LEFT_OVER_BY_MASKS,
    ..DEBERTA
};

/// DeBERTa that makes a vector of a text.
pub static VECTOR: Family = Family {
    architecture: Some("DebertaModel"),
    start: || heads::vector(start()),
    keys: &[bert::KEYS, bert::POSITIONS, OWN],
    tensors: &[bert::DENSE, TENSORS, bert::TENSORS],
    ignored_tensors: LEFT_OVER,
    ..DEBERTA
};

#[rustfmt::skip]
const OWN: Keys = &[
    ("pooler_hidden_act", POOLER),
    ("max_relative_positions", LONGEST),
    ("pooler_hidden_size", SAME_WIDTH),
    ("embedding_size", SAME_WIDTH),
    // Without them, scores are of contents alone, or of a part of the distances.
    ("relative_attention", REQUIRED),
    ("pos_att_type", BOTH),
    ("position_biased_input", NO_TABLE),
    ("talking_head", Key::Only("false")),
];

#[rustfmt::skip]
const TENSORS: Names = &[
    ("distances.table", "$.encoder.rel_embeddings"),
    ("encoder.{}.attention.query.bias", "$.encoder.layer.{}.attention.self.q_bias"),
    ("encoder.{}.attention.value.bias", "$.encoder.layer.{}.attention.self.v_bias"),
    ("encoder.{}.attention.query", "$.encoder.layer.{}.attention.self.in_proj"),
    ("encoder.{}.attention.key", "$.encoder.layer.{}.attention.self.in_proj"),
    ("encoder.{}.attention.value", "$.encoder.layer.{}.attention.self.in_proj"),
    ("encoder.{}.attention.distance_key", "$.encoder.layer.{}.attention.self.pos_proj"),
    ("encoder.{}.attention.distance_query", "$.encoder.layer.{}.attention.self.pos_q_proj"),
    ("pooler.linear", "pooler.dense"),
];

fn start() -> TransformerConfig {
    let bert = bert::start();
    let mut config = TransformerConfig {
        input: InputConfig::Tokens { vocabulary: 50265 },
        token_types: 0,
        pooler: Some(Activation::Gelu),
        ..bert
    };
    config.biases.unbiased_keys = true;
    config.norm.scale = NormScale::InsideRoot(1e-7);
    config.embedding_norm = Some(config.norm);
    distances(&mut config).own_maps = true;
    config
}
