//! EuroBERT (Boizard et al. 2025): a Llama that looks at all tokens.

use super::{bert, heads, llama};
use crate::Family;
use crate::family::Keys;
use crate::keys::{CLASSES, Key, KeyError, flag, rotary};
use relprop_rules::operations::{Activation, NormScale};
use relprop_transformer::{Head, InputConfig, TransformerConfig};
use serde_json::{Value, json};

/// EuroBERT, for sequence classification.
pub static EUROBERT: Family = Family {
    name: "eurobert",
    architecture: Some("EuroBertForSequenceClassification"),
    start: start_of_labels,
    keys: &[
        llama::KEYS,
        llama::NORM,
        rotary::KEYS,
        llama::PARTS,
        llama::BIASES,
        POOLING,
        CLASSES,
    ],
    // How a training was spread, and which token it masked with.
    ignored_keys: &["pretraining_tp", "mask_token_id", "classifier_pooling"],
    tensors: &[
        heads::CLASSIFIER,
        &[("pooler.linear", "dense")],
        llama::TENSORS,
    ],
    ..llama::LLAMA
};

/// EuroBERT with a label for each token.
pub static TOKEN_LABELS: Family = Family {
    architecture: Some("EuroBertForTokenClassification"),
    start: || heads::token_labels(start()),
    keys: &[
        llama::KEYS,
        llama::NORM,
        rotary::KEYS,
        llama::PARTS,
        llama::BIASES,
        CLASSES,
    ],
    tensors: &[heads::CLASSIFIER, llama::TENSORS],
    ..EUROBERT
};

/// EuroBERT that fills masks, by a linear map alone; it has a bias where feed-forward parts have one.
pub static MASKED_TOKEN: Family = Family {
    architecture: Some("EuroBertForMaskedLM"),
    start: start_of_masks,
    keys: &[
        llama::KEYS,
        llama::NORM,
        rotary::KEYS,
        llama::PARTS,
        BIASES_OF_MASKS,
    ],
    tensors: &[&[("classifier_bias", "lm_head.bias")], llama::TENSORS],
    ..EUROBERT
};

/// EuroBERT that makes a vector of a text.
pub static VECTOR: Family = Family {
    architecture: Some("EuroBertModel"),
    start: || heads::vector(start()),
    keys: &[
        llama::KEYS,
        llama::NORM,
        rotary::KEYS,
        llama::PARTS,
        llama::BIASES,
    ],
    tensors: &[bert::DENSE, llama::TENSORS],
    ..EUROBERT
};

/// The linear map of the head has a bias where those of feed-forward parts have one.
const BIASES_OF_MASKS: Keys = &[
    ("attention_bias", llama::ATTENTION_BIAS),
    (
        "mlp_bias",
        Key::Custom {
            required: false,
            read: |config, value| {
                let has = flag(value)?;
                config.biases.feed_forward = has;
                config.biases.next_token = has;
                Ok(())
            },
            write: |config| json!(config.biases.feed_forward),
        },
    ),
];

/// What the label of a text comes from: the first token, the mean of all, or the mean of the logits of all.
/// A linear map of a mean is the mean of a linear map, so that the last is the mean of what stands before the logits.
const POOLING: Keys = &[(
    "classifier_pooling",
    Key::Derived {
        read: |config, value| {
            let value = value.unwrap_or(&Value::Null);
            (config.head, config.pooler_first) = match value.as_str() {
                Some("late") => (Head::LabelsOfMean, true),
                Some("mean") => (Head::LabelsOfMean, false),
                Some("bos") => (Head::Labels, false),
                None if value.is_null() => (Head::LabelsOfMean, true),
                _ => return Err(KeyError::only(value, "`late`, `mean` or `bos`")),
            };
            Ok(())
        },
        write: |config| match (config.head, config.pooler_first) {
            (Head::LabelsOfMean, true) => json!("late"),
            (Head::LabelsOfMean, false) => json!("mean"),
            _ => json!("bos"),
        },
    },
)];

fn start_of_labels() -> TransformerConfig {
    TransformerConfig {
        head: Head::LabelsOfMean,
        pooler: Some(Activation::Gelu),
        pooler_first: true,
        labels: crate::keys::numbered(2),
        ..start()
    }
}

fn start_of_masks() -> TransformerConfig {
    TransformerConfig {
        head: Head::MaskedToken {
            tied: false,
            activation: None,
        },
        ..start()
    }
}

fn start() -> TransformerConfig {
    let mut config = bert::sizes(llama::start(), [768, 12, 12, 3072, 8192]);
    config.input = InputConfig::Tokens {
        vocabulary: 128_256,
    };
    config.norm.scale = NormScale::RootMeanSquare(1e-5);
    config.padding_token = 128_001;
    config.attention.causal = false;
    config
}
