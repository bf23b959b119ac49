//! ERNIE 1 to 3 (Sun et al. 2019): a BERT trained on other tasks, which have embeddings in some.

use super::{bert, heads};
use crate::Family;
use crate::family::Keys;
use crate::keys::{CLASSES, Key, flag, size};
use serde_json::{Value, json};

/// ERNIE.
pub static ERNIE: Family = Family {
    name: "ernie",
    architecture: Some("ErnieForSequenceClassification"),
    keys: &[bert::KEYS, CLASSES, bert::POSITIONS, TASKS],
    base: "ernie",
    ..bert::BERT
};

/// ERNIE with a label for each token.
pub static TOKEN_LABELS: Family = Family {
    name: "ernie",
    architecture: Some("ErnieForTokenClassification"),
    keys: &[bert::KEYS, CLASSES, bert::POSITIONS, TASKS],
    base: "ernie",
    ..bert::TOKEN_LABELS
};

/// ERNIE that finds the answer to a question.
pub static SPAN: Family = Family {
    name: "ernie",
    architecture: Some("ErnieForQuestionAnswering"),
    keys: &[bert::KEYS, bert::POSITIONS, TASKS],
    base: "ernie",
    ..bert::SPAN
};

/// ERNIE that fills masks.
pub static MASKED_TOKEN: Family = Family {
    name: "ernie",
    architecture: Some("ErnieForMaskedLM"),
    keys: &[
        bert::KEYS,
        bert::POSITIONS,
        heads::HIDDEN_ACTIVATION,
        bert::TIED_HEAD,
        TASKS,
    ],
    base: "ernie",
    ..bert::MASKED_TOKEN
};

/// The same as it comes out of its training, with a head besides for which sentence follows.
pub static PRE_TRAINED: Family = Family {
    architecture: Some("ErnieForPreTraining"),
    ..MASKED_TOKEN
};

/// ERNIE that makes a vector of a text.
pub static VECTOR: Family = Family {
    name: "ernie",
    architecture: Some("ErnieModel"),
    keys: &[bert::KEYS, bert::POSITIONS, TASKS],
    base: "ernie",
    ..bert::VECTOR
};

/// Whether the task has an embedding. A text is of the first one, unless a program says otherwise.
const TASKS: Keys = &[("use_task_id", TASK), ("task_type_vocab_size", TASK_COUNT)];

const TASK: Key = Key::Custom {
    required: false,
    read: |config, value| {
        config.tasks = if flag(value)? { 3 } else { 0 };
        Ok(())
    },
    write: |config| json!(config.tasks > 0),
};

const TASK_COUNT: Key = Key::Custom {
    required: false,
    read: |config, value| {
        let count = size(value)?;
        if config.tasks > 0 {
            config.tasks = count;
        }
        Ok(())
    },
    write: |config| match config.tasks {
        0 => Value::Null,
        count => json!(count),
    },
};
