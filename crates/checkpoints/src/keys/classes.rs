//! The keys that name a classifier's labels, and say how their probabilities follow from the logits.

use relprop_transformer::{Probabilities, TransformerConfig};
use serde_json::{Map, Value, json};

use super::{Key, KeyError, size};
use crate::family::Keys;

/// More labels than any classifier has; a file that says so is damaged.
const MOST_LABELS: usize = 1 << 20;

/// `id2label`: the labels by the numbers of their logits.
pub const LABELS: Key = Key::Custom {
    required: false,
    read: |config, value| {
        let wrong = || KeyError::must_be(value, "a label for each of the ids 0, 1, 2, ...");
        let by_id = value.as_object().ok_or_else(wrong)?;
        let labels = (0..by_id.len()).map(|id| by_id.get(&id.to_string()).and_then(label_name));
        label(config, labels.collect::<Option<_>>().ok_or_else(wrong)?);
        Ok(())
    },
    write: |config| {
        let labels = config.labels.iter().enumerate();
        let labels = labels.map(|(id, label)| (id.to_string(), json!(label)));
        Value::Object(labels.collect())
    },
};

/// Gives a classifier these labels. Unless the file says more, probabilities follow from logits by a softmax,
/// of a single label by a sigmoid, as in the pipelines of transformers.
fn label(config: &mut TransformerConfig, labels: Vec<String>) {
    config.probabilities = match labels.len() {
        1 => Probabilities::Sigmoid,
        _ => Probabilities::Softmax,
    };
    config.labels = labels;
}

/// A label's name. Numbers and booleans are called as Python writes them.
fn label_name(name: &Value) -> Option<String> {
    match name {
        Value::String(name) => Some(name.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(true) => Some("True".to_owned()),
        Value::Bool(false) => Some("False".to_owned()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// What a head that classifies is told: its labels, and how their probabilities follow.
#[rustfmt::skip]
pub const CLASSES: Keys = &[
    ("id2label", LABELS),
    ("label2id", IDS),
    ("num_labels", LABEL_COUNT),
    ("problem_type", PROBLEM),
    ("sbert_ce_default_activation_function", ACTIVATION_OF_SCORES),
    ("sentence_transformers", ACTIVATION_OF_SCORES),
];

/// `problem_type`: how probabilities follow from the logits, where it is not as [`label`] has it.
const PROBLEM: Key = Key::Custom {
    required: false,
    read: |config, value| {
        config.probabilities = match value.as_str() {
            Some("regression") => Probabilities::None,
            Some("multi_label_classification") => Probabilities::Sigmoid,
            Some("single_label_classification") => Probabilities::Softmax,
            _ => {
                let known = "`regression`, `single_label_classification` or \
                             `multi_label_classification`";
                return Err(KeyError::must_be(value, known));
            }
        };
        Ok(())
    },
    write: |config| match (config.probabilities, config.labels.len()) {
        (Probabilities::None, _) => json!("regression"),
        (Probabilities::Sigmoid, 1) => Value::Null,
        (Probabilities::Sigmoid, _) => json!("multi_label_classification"),
        (Probabilities::Softmax, 1) => json!("single_label_classification"),
        (Probabilities::Softmax, _) => Value::Null,
    },
};

/// What sentence-transformers makes of the logits of a cross-encoder: the name of a class of PyTorch, by
/// itself or as `activation_fn`.
const ACTIVATION_OF_SCORES: Key = Key::Custom {
    required: false,
    read: |config, value| {
        let class = value.get("activation_fn").unwrap_or(value).as_str();
        let class = class.and_then(|class| class.rsplit('.').next());
        match class {
            Some("Identity") => config.probabilities = Probabilities::None,
            Some("Sigmoid") => config.probabilities = Probabilities::Sigmoid,
            Some("Softmax") => config.probabilities = Probabilities::Softmax,
            // It says something else, or means a function that is no probability: scores are logits.
            Some(_) => config.probabilities = Probabilities::None,
            None => {}
        }
        Ok(())
    },
    write: |_| Value::Null,
};

/// `label2id`: repeats `id2label`, but transformers needs it.
pub const IDS: Key = Key::Custom {
    required: false,
    read: |_, _| Ok(()),
    write: |config| {
        let labels = config.labels.iter().enumerate();
        let ids = labels.map(|(id, label)| (label.clone(), json!(id)));
        Value::Object(ids.collect::<Map<_, _>>())
    },
};

/// `num_labels`: where it disagrees with `id2label`, transformers gives the labels new names.
pub const LABEL_COUNT: Key = Key::Custom {
    required: false,
    read: |config, value| {
        let count = size(value)?;
        if count > MOST_LABELS {
            return Err(KeyError::must_be(value, "a number of labels"));
        }
        if count != config.labels.len() {
            label(config, numbered(count));
        }
        Ok(())
    },
    write: |_| Value::Null,
};

/// The labels of a classifier that names none.
pub fn numbered(count: usize) -> Vec<String> {
    (0..count).map(|id| format!("LABEL_{id}")).collect()
}
