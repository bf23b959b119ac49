//! RoBERTa (Liu et al. 2019), XLM-RoBERTa (Conneau et al. 2020) and CamemBERT (Martin et al. 2020), for
//! sequence classification.

use serde_json::{Value, json};

use super::{bert, heads};
use crate::Family;
use crate::family::{Keys, Names};
use crate::keys::{CLASSES, Key, KeyError, size};
use relprop_transformer::{InputConfig, TransformerConfig};

/// RoBERTa.
pub static ROBERTA: Family = Family {
    name: "roberta",
    architecture: Some("RobertaForSequenceClassification"),
    start,
    keys: &[bert::KEYS, CLASSES, POSITIONS],
    ignored_keys: bert::BERT.ignored_keys,
    base: "roberta",
    tensors: &[bert::TENSORS, HEAD],
    variants: &[],
    grouped: &[],
    stacked: &[],
    untransposed: &[],
    // The classifier has a pooler of its own; that of the pre-trained model may be left over.
    ignored_tensors: &[
        "$.embeddings.position_ids",
        "$.embeddings.token_type_ids",
        "$.pooler.dense.weight",
        "$.pooler.dense.bias",
    ],
};

/// RoBERTa with a label for each token.
pub static TOKEN_LABELS: Family = Family {
    architecture: Some("RobertaForTokenClassification"),
    start: || heads::token_labels(start()),
    tensors: &[bert::TENSORS],
    ..ROBERTA
};

/// RoBERTa that finds the answer to a question.
pub static SPAN: Family = Family {
    architecture: Some("RobertaForQuestionAnswering"),
    start: || heads::span(start()),
    keys: &[bert::KEYS, POSITIONS],
    tensors: &[bert::TENSORS, bert::SPAN_HEAD],
    ..ROBERTA
};

/// RoBERTa that fills masks.
pub static MASKED_TOKEN: Family = Family {
    architecture: Some("RobertaForMaskedLM"),
    start: || heads::masked_token(start()),
    keys: &[bert::KEYS, POSITIONS, bert::TIED_HEAD],
    tensors: &[bert::TENSORS, MASK_HEAD],
    ignored_tensors: &[
        "$.embeddings.position_ids",
        "$.embeddings.token_type_ids",
        "$.pooler.dense.weight",
        "$.pooler.dense.bias",
        "lm_head.decoder.weight",
        "lm_head.decoder.bias",
    ],
    ..ROBERTA
};

/// RoBERTa that makes a vector of a text.
pub static VECTOR: Family = Family {
    architecture: Some("RobertaModel"),
    start: || heads::vector(start()),
    keys: &[bert::KEYS, POSITIONS],
    tensors: &[bert::TENSORS, bert::DENSE],
    ..ROBERTA
};

/// CamemBERT with a label for each token.
pub static CAMEMBERT_TOKEN_LABELS: Family = Family {
    name: "camembert",
    architecture: Some("CamembertForTokenClassification"),
    ..XLM_TOKEN_LABELS
};

/// CamemBERT that finds the answer to a question.
pub static CAMEMBERT_SPAN: Family = Family {
    name: "camembert",
    architecture: Some("CamembertForQuestionAnswering"),
    ..XLM_SPAN
};

/// CamemBERT that fills masks.
pub static CAMEMBERT_MASKED_TOKEN: Family = Family {
    name: "camembert",
    architecture: Some("CamembertForMaskedLM"),
    ..XLM_MASKED_TOKEN
};

/// CamemBERT that makes a vector of a text.
pub static CAMEMBERT_VECTOR: Family = Family {
    name: "camembert",
    architecture: Some("CamembertModel"),
    ..XLM_VECTOR
};

/// XLM-RoBERTa with a label for each token.
pub static XLM_TOKEN_LABELS: Family = Family {
    name: "xlm-roberta",
    architecture: Some("XLMRobertaForTokenClassification"),
    start: || heads::token_labels(start_with(30522)),
    ..TOKEN_LABELS
};

/// XLM-RoBERTa that finds the answer to a question.
pub static XLM_SPAN: Family = Family {
    name: "xlm-roberta",
    architecture: Some("XLMRobertaForQuestionAnswering"),
    start: || heads::span(start_with(30522)),
    ..SPAN
};

/// XLM-RoBERTa that fills masks.
pub static XLM_MASKED_TOKEN: Family = Family {
    name: "xlm-roberta",
    architecture: Some("XLMRobertaForMaskedLM"),
    start: || heads::masked_token(start_with(30522)),
    ..MASKED_TOKEN
};

/// XLM-RoBERTa that makes a vector of a text.
pub static XLM_VECTOR: Family = Family {
    name: "xlm-roberta",
    architecture: Some("XLMRobertaModel"),
    start: || heads::vector(start_with(30522)),
    ..VECTOR
};

/// The head of a masked token.
#[rustfmt::skip]
pub const MASK_HEAD: Names = &[
    ("transform.linear", "lm_head.dense"),
    ("transform.norm", "lm_head.layer_norm"),
    ("classifier_bias", "lm_head.bias"),
    ("classifier.bias", "lm_head.bias"),
    ("classifier", "lm_head.decoder"),
];

/// The same model, with another vocabulary.
pub static XLM_ROBERTA: Family = Family {
    name: "xlm-roberta",
    architecture: Some("XLMRobertaForSequenceClassification"),
    start: || start_with(30522),
    ..ROBERTA
};

/// CamemBERT (Martin et al. 2020): the same again, trained on French.
pub static CAMEMBERT: Family = Family {
    name: "camembert",
    architecture: Some("CamembertForSequenceClassification"),
    ..XLM_ROBERTA
};

/// The rows of the position table up to the padding token's number belong to padding: the first
/// token of a text stands in the row after them.
pub const POSITIONS: Keys = &[
    ("pad_token_id", Key::Token(|c| &mut c.padding_token)),
    ("max_position_embeddings", rows::<512>()),
];

/// `max_position_embeddings`, the rows of such a table: `USUAL` where the file is silent.
pub const fn rows<const USUAL: usize>() -> Key {
    Key::Derived {
        read: |config, value| {
            let first = config.padding_token as usize + 1;
            let rows = match value {
                None | Some(Value::Null) => USUAL,
                Some(value) => size(value)?,
            };
            let positions = rows.checked_sub(first);
            config.positions = positions.ok_or_else(|| {
                KeyError::new(format!(
                    "is {rows}, but positions start after `pad_token_id`, at {first}"
                ))
            })?;
            config.first_position = first;
            Ok(())
        },
        write: |config| json!(config.positions + config.first_position),
    }
}

/// A classifier of two linear maps: the first is our pooler.
pub const HEAD: Names = &[
    ("pooler.linear", "classifier.dense"),
    ("classifier", "classifier.out_proj"),
];

/// A BERT whose padding token has row 1 of the table of positions.
pub fn start() -> TransformerConfig {
    start_with(50265)
}

fn start_with(vocabulary: usize) -> TransformerConfig {
    TransformerConfig {
        input: InputConfig::Tokens { vocabulary },
        padding_token: 1,
        ..bert::start()
    }
}
