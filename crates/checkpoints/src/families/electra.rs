//! ELECTRA (Clark et al. 2020), its discriminator, for sequence classification.

use relprop_rules::operations::Activation;
use serde_json::{Value, json};

use super::{bert, heads, roberta};
use crate::Family;
use crate::family::{Keys, Names};
use crate::keys::{CLASSES, Key, size};
use relprop_transformer::{Head, Probabilities, TransformerConfig};

/// ELECTRA.
pub static ELECTRA: Family = Family {
    name: "electra",
    architecture: Some("ElectraForSequenceClassification"),
    start,
    keys: &[bert::KEYS, CLASSES, bert::POSITIONS, EMBEDDINGS],
    // What summarises a text in other tasks than classification.
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
    variants: &[],
    grouped: &[],
    stacked: &[],
    untransposed: &[],
    ignored_tensors: bert::BUFFERS,
};

/// ELECTRA with a label for each token.
pub static TOKEN_LABELS: Family = Family {
    architecture: Some("ElectraForTokenClassification"),
    start: || heads::token_labels(start()),
    tensors: &[bert::TENSORS, PROJECTION],
    ..ELECTRA
};

/// ELECTRA as it was trained: which tokens were replaced.
pub static DISCRIMINATOR: Family = Family {
    architecture: Some("ElectraForPreTraining"),
    start: start_of_discriminator,
    keys: &[bert::KEYS, bert::POSITIONS, EMBEDDINGS, POOLER_ACTIVATION],
    tensors: &[bert::TENSORS, PROJECTION, DISCRIMINATOR_HEAD],
    ..ELECTRA
};

/// ELECTRA that finds the answer to a question.
pub static SPAN: Family = Family {
    architecture: Some("ElectraForQuestionAnswering"),
    start: || heads::span(start()),
    keys: &[bert::KEYS, bert::POSITIONS, EMBEDDINGS],
    tensors: &[bert::TENSORS, PROJECTION, bert::SPAN_HEAD],
    ..ELECTRA
};

/// ELECTRA's generator, which fills masks.
pub static MASKED_TOKEN: Family = Family {
    architecture: Some("ElectraForMaskedLM"),
    start: || heads::masked_token(start()),
    keys: &[bert::KEYS, bert::POSITIONS, EMBEDDINGS, bert::TIED_HEAD],
    tensors: &[bert::TENSORS, PROJECTION, MASK_HEAD],
    ignored_tensors: &[
        "$.embeddings.position_ids",
        "$.embeddings.token_type_ids",
        "generator_lm_head.weight",
    ],
    ..ELECTRA
};

/// ELECTRA that makes a vector of a text.
pub static VECTOR: Family = Family {
    architecture: Some("ElectraModel"),
    start: || heads::vector(start()),
    keys: &[bert::KEYS, bert::POSITIONS, EMBEDDINGS],
    tensors: &[bert::TENSORS, PROJECTION, bert::DENSE],
    ..ELECTRA
};

#[rustfmt::skip]
const MASK_HEAD: Names = &[
    ("transform.linear", "generator_predictions.dense"),
    ("transform.norm", "generator_predictions.LayerNorm"),
    ("classifier_bias", "generator_lm_head.bias"),
    ("classifier", "generator_lm_head"),
];

#[rustfmt::skip]
const DISCRIMINATOR_HEAD: Names = &[
    ("pooler.linear", "discriminator_predictions.dense"),
    ("classifier", "discriminator_predictions.dense_prediction"),
];

/// The activation of the discriminator's head is that of the blocks.
const POOLER_ACTIVATION: Keys = &[("hidden_act", Key::Activation(pooler))];

fn pooler(config: &mut TransformerConfig) -> &mut Activation {
    config.pooler.get_or_insert(Activation::Gelu)
}

/// One logit a token: whether it was replaced.
fn start_of_discriminator() -> TransformerConfig {
    TransformerConfig {
        head: Head::TokenLabels,
        labels: vec!["replaced".to_owned()],
        probabilities: Probabilities::Sigmoid,
        ..start()
    }
}

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
