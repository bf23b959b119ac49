//! ERNIE 1 to 3 (Sun et al. 2019): a BERT trained on other tasks.

use super::{bert, heads};
use crate::Family;
use crate::family::Keys;
use crate::keys::{CLASSES, Key};

/// ERNIE.
pub static ERNIE: Family = Family {
    name: "ernie",
    architecture: Some("ErnieForSequenceClassification"),
    keys: &[bert::KEYS, CLASSES, bert::POSITIONS, TASKS],
    ignored_keys: IGNORED,
    base: "ernie",
    ..bert::BERT
};

/// ERNIE with a label for each token.
pub static TOKEN_LABELS: Family = Family {
    name: "ernie",
    architecture: Some("ErnieForTokenClassification"),
    keys: &[bert::KEYS, CLASSES, bert::POSITIONS, TASKS],
    ignored_keys: IGNORED,
    base: "ernie",
    ..bert::TOKEN_LABELS
};

/// ERNIE that finds the answer to a question.
pub static SPAN: Family = Family {
    name: "ernie",
    architecture: Some("ErnieForQuestionAnswering"),
    keys: &[bert::KEYS, bert::POSITIONS, TASKS],
    ignored_keys: IGNORED,
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
    ignored_keys: IGNORED,
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
    ignored_keys: IGNORED,
    base: "ernie",
    ..bert::VECTOR
};

/// The number of the task, which has an embedding of its own in some.
const TASKS: Keys = &[("use_task_id", Key::Only("false"))];

/// How many embeddings of tasks there would be.
const IGNORED: &[&str] = &["task_type_vocab_size"];
