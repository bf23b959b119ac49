//! Heads: what a family's model of the whole text becomes for another question.
//!
//! Each takes the start of a family and gives that of the same model with another head.

use relprop_rules::operations::Activation;
use relprop_transformer::{Head, TransformerConfig, VectorPooling};
use serde_json::json;

use crate::family::{Keys, Names};
use crate::keys::{Key, activation, numbered};

/// A label for each token, through a linear map alone.
pub fn token_labels(config: TransformerConfig) -> TransformerConfig {
    TransformerConfig {
        head: Head::TokenLabels,
        pooler: None,
        labels: numbered(2),
        ..config
    }
}

/// Where the answer to a question starts and ends.
pub fn span(config: TransformerConfig) -> TransformerConfig {
    TransformerConfig {
        head: Head::Span,
        ..without_labels(config)
    }
}

/// The token in the place of a mask.
pub fn masked_token(config: TransformerConfig) -> TransformerConfig {
    TransformerConfig {
        head: Head::MaskedToken {
            tied: true,
            activation: Some(Activation::Gelu),
        },
        ..without_labels(config)
    }
}

/// A label for the whole text, read at its last token.
pub fn labels_at_end(config: TransformerConfig) -> TransformerConfig {
    TransformerConfig {
        head: Head::LabelsAtEnd {
            skips_padding: false,
        },
        labels: numbered(2),
        ..config
    }
}

/// A vector for the whole text: the mean over its tokens, unless a folder says something else.
pub fn vector(config: TransformerConfig) -> TransformerConfig {
    TransformerConfig {
        head: Head::Vector {
            pooling: VectorPooling::Mean,
            dense: None,
            second: None,
            normalized: false,
        },
        ..without_labels(config)
    }
}

/// The classifier as it is called here, for families whose language model calls its own otherwise.
pub const CLASSIFIER: Names = &[("classifier", "classifier")];

fn without_labels(config: TransformerConfig) -> TransformerConfig {
    TransformerConfig {
        pooler: None,
        labels: Vec::new(),
        ..config
    }
}

/// `hidden_act`, where the head of a masked token has the activation of the blocks.
pub const HIDDEN_ACTIVATION: Keys = &[("hidden_act", ACTIVATION)];

/// The activation of the head of a masked token.
pub const ACTIVATION: Key = Key::Custom {
    required: false,
    read: |config, value| {
        if let Head::MaskedToken { activation: of, .. } = &mut config.head {
            *of = Some(activation(value)?);
        }
        Ok(())
    },
    write: |config| match config.head {
        Head::MaskedToken { activation, .. } => json!(activation.map(crate::keys::name)),
        _ => json!(null),
    },
};
