//! XLM-RoBERTa XL and XXL (Goyal et al. 2021): an XLM-RoBERTa whose norms stand before its parts.

use relprop_rules::operations::NormScale;

use super::{bert, heads, roberta};
use crate::Family;
use crate::family::{Keys, Names};
use crate::keys::{CLASSES, Key};
use relprop_transformer::{InputConfig, NormPlacement, TransformerConfig};

/// XLM-RoBERTa XL.
pub static XLM_ROBERTA_XL: Family = Family {
    name: NAME,
    architecture: Some("XLMRobertaXLForSequenceClassification"),
    start,
    base: "roberta",
    keys: &[bert::KEYS, POSITIONS, CLASSES],
    tensors: &[NORMS, bert::TENSORS, roberta::HEAD],
    ..roberta::ROBERTA
};

/// XLM-RoBERTa XL with a label for each token.
pub static TOKEN_LABELS: Family = Family {
    name: NAME,
    architecture: Some("XLMRobertaXLForTokenClassification"),
    start: || heads::token_labels(start()),
    base: "roberta",
    keys: &[bert::KEYS, POSITIONS, CLASSES],
    tensors: &[NORMS, bert::TENSORS],
    ..roberta::TOKEN_LABELS
};

/// XLM-RoBERTa XL that finds the answer to a question.
pub static SPAN: Family = Family {
    name: NAME,
    architecture: Some("XLMRobertaXLForQuestionAnswering"),
    start: || heads::span(start()),
    base: "roberta",
    keys: &[bert::KEYS, POSITIONS],
    tensors: &[NORMS, bert::TENSORS, bert::SPAN_HEAD],
    ..roberta::SPAN
};

/// XLM-RoBERTa XL that fills masks.
pub static MASKED_TOKEN: Family = Family {
    name: NAME,
    architecture: Some("XLMRobertaXLForMaskedLM"),
    start: || heads::masked_token(start()),
    base: "roberta",
    keys: &[bert::KEYS, POSITIONS, bert::TIED_HEAD],
    tensors: &[NORMS, bert::TENSORS, roberta::MASK_HEAD],
    ..roberta::MASKED_TOKEN
};

/// XLM-RoBERTa XL that makes a vector of a text.
pub static VECTOR: Family = Family {
    name: NAME,
    architecture: Some("XLMRobertaXLModel"),
    start: || heads::vector(start()),
    base: "roberta",
    keys: &[bert::KEYS, POSITIONS],
    tensors: &[NORMS, bert::TENSORS, bert::DENSE],
    ..roberta::VECTOR
};

/// As in RoBERTa, of two rows more.
const POSITIONS: Keys = &[
    ("pad_token_id", Key::Token(|c| &mut c.padding_token)),
    ("max_position_embeddings", roberta::rows::<514>()),
];

const NAME: &str = "xlm-roberta-xl";

#[rustfmt::skip]
const NORMS: Names = &[
    ("encoder.{}.attention_norm", "$.encoder.layer.{}.attention.self_attn_layer_norm"),
    ("encoder.{}.feed_forward_norm", "$.encoder.layer.{}.LayerNorm"),
    ("final_norm", "$.encoder.LayerNorm"),
];

fn start() -> TransformerConfig {
    let mut config = TransformerConfig {
        input: InputConfig::Tokens {
            vocabulary: 250_880,
        },
        token_types: 1,
        embedding_norm: None,
        norm_placement: NormPlacement::Before,
        ..bert::sizes(roberta::start(), [2560, 36, 32, 10240, 512])
    };
    config.norm.scale = NormScale::InsideRoot(1e-5);
    config
}
