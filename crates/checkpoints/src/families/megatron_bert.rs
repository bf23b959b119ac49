//! Megatron's BERT (Shoeybi et al. 2019): a BERT whose norms stand before its parts.

use super::{bert, heads};
use crate::Family;
use crate::family::Names;
use relprop_transformer::{InputConfig, NormPlacement, TransformerConfig};

/// Megatron's BERT.
pub static MEGATRON_BERT: Family = Family {
    name: "megatron-bert",
    architecture: Some("MegatronBertForSequenceClassification"),
    start,
    tensors: &[NORMS, bert::TENSORS, &[("pooler.linear", "$.pooler.dense")]],
    ..bert::BERT
};

/// Megatron's BERT with a label for each token.
pub static TOKEN_LABELS: Family = Family {
    name: "megatron-bert",
    architecture: Some("MegatronBertForTokenClassification"),
    start: || heads::token_labels(start()),
    tensors: &[NORMS, bert::TENSORS],
    ..bert::TOKEN_LABELS
};

/// Megatron's BERT that finds the answer to a question.
pub static SPAN: Family = Family {
    name: "megatron-bert",
    architecture: Some("MegatronBertForQuestionAnswering"),
    start: || heads::span(start()),
    tensors: &[NORMS, bert::TENSORS, bert::SPAN_HEAD],
    ..bert::SPAN
};

/// Megatron's BERT that fills masks.
pub static MASKED_TOKEN: Family = Family {
    name: "megatron-bert",
    architecture: Some("MegatronBertForMaskedLM"),
    start: || heads::masked_token(start()),
    tensors: &[NORMS, bert::TENSORS, bert::MASK_HEAD],
    ..bert::MASKED_TOKEN
};

/// The same as it comes out of its training, with a head besides for which sentence follows.
pub static PRE_TRAINED: Family = Family {
    architecture: Some("MegatronBertForPreTraining"),
    ..MASKED_TOKEN
};

/// Megatron's BERT that makes a vector of a text.
pub static VECTOR: Family = Family {
    name: "megatron-bert",
    architecture: Some("MegatronBertModel"),
    start: || heads::vector(start()),
    tensors: &[NORMS, bert::TENSORS, bert::DENSE],
    ..bert::VECTOR
};

const NORMS: Names = &[
    (
        "encoder.{}.attention_norm",
        "$.encoder.layer.{}.attention.ln",
    ),
    ("encoder.{}.feed_forward_norm", "$.encoder.layer.{}.ln"),
    ("final_norm", "$.encoder.ln"),
];

fn start() -> TransformerConfig {
    TransformerConfig {
        input: InputConfig::Tokens { vocabulary: 29056 },
        embedding_norm: None,
        norm_placement: NormPlacement::Before,
        ..bert::sizes(bert::start(), [1024, 24, 16, 4096, 512])
    }
}
