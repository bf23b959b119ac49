//! RoBERTa (Liu et al. 2019), XLM-RoBERTa (Conneau et al. 2020) and CamemBERT (Martin et al. 2020), for
//! sequence classification.

use serde_json::{Value, json};

use super::bert;
use crate::Family;
use crate::family::{Keys, Names};
use crate::keys::{Key, KeyError, size};
use relprop_transformer::{InputConfig, TransformerConfig};

/// RoBERTa.
pub static ROBERTA: Family = Family {
    name: "roberta",
    architecture: Some("RobertaForSequenceClassification"),
    start,
    keys: &[bert::KEYS, POSITIONS],
    ignored_keys: bert::BERT.ignored_keys,
    base: "roberta",
    tensors: &[bert::TENSORS, HEAD],
    grouped: &[],
    untransposed: &[],
    // The classifier has a pooler of its own; that of the pre-trained model may be left over.
    ignored_tensors: &[
        "$.embeddings.position_ids",
        "$.embeddings.token_type_ids",
        "$.pooler.dense.weight",
        "$.pooler.dense.bias",
    ],
};

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
    (
        "max_position_embeddings",
        Key::Derived {
            read: |config, value| {
                let first = config.padding_token as usize + 1;
                let rows = match value {
                    None | Some(Value::Null) => 512,
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
        },
    ),
];

/// A classifier of two linear maps: the first is our pooler.
pub const HEAD: Names = &[
    ("pooler.linear", "classifier.dense"),
    ("classifier", "classifier.out_proj"),
];

fn start() -> TransformerConfig {
    start_with(50265)
}

fn start_with(vocabulary: usize) -> TransformerConfig {
    TransformerConfig {
        input: InputConfig::Tokens { vocabulary },
        padding_token: 1,
        ..bert::start()
    }
}
