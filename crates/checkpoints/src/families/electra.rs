//! ELECTRA (Clark et al. 2020), its discriminator, for sequence classification.

use relprop_rules::operations::Activation;
use serde_json::{Value, json};

use super::{bert, roberta};
use crate::Family;
use crate::family::{Keys, Names};
use crate::keys::{Key, size};
use relprop_transformer::TransformerConfig;

/// ELECTRA.
pub static ELECTRA: Family = Family {
    name: "electra",
    architecture: Some("ElectraForSequenceClassification"),
    start,
    keys: &[bert::KEYS, bert::POSITIONS, EMBEDDINGS],
    // What summarizes a text in other tasks than classification.
    ignored_keys: &[
        "summary_activation",
        "summary_first_dropout",
        "summary_last_dropout",
        "summary_proj_to_labels",
        "summary_type",
        "summary_use_proj",
    ],
    base: "electra",
    tensors: &[bert::TENSORS, PROJECTION, roberta::HEAD],
    untransposed: &[],
    ignored_tensors: bert::BUFFERS,
};

/// Embeddings of another width than the hidden states are projected; others are not.
const EMBEDDINGS: Keys = &[(
    "embedding_size",
    Key::Derived {
        read: |config, value| {
            let width = match value {
                None | Some(Value::Null) => 128,
                Some(value) => size(value)?,
            };
            config.embedding_width = (width != config.width).then_some(width);
            Ok(())
        },
        write: |config| json!(config.embedding_width.unwrap_or(config.width)),
    },
)];

const PROJECTION: Names = &[("embeddings.projection", "$.embeddings_project")];

/// A BERT whose head has the exact GELU, whatever its blocks have.
fn start() -> TransformerConfig {
    TransformerConfig {
        pooler: Some(Activation::Gelu),
        ..bert::sizes(bert::start(), [256, 12, 4, 1024, 512])
    }
}
