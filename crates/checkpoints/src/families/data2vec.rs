//! data2vec for texts (Baevski et al. 2022): a RoBERTa trained on what another model makes of a text.

use super::roberta;
use crate::Family;

/// data2vec.
pub static DATA2VEC: Family = Family {
    name: NAME,
    architecture: Some("Data2VecTextForSequenceClassification"),
    base: BASE,
    ..roberta::XLM_ROBERTA
};

/// data2vec with a label for each token.
pub static TOKEN_LABELS: Family = Family {
    name: NAME,
    architecture: Some("Data2VecTextForTokenClassification"),
    base: BASE,
    ..roberta::XLM_TOKEN_LABELS
};

/// data2vec that finds the answer to a question.
pub static SPAN: Family = Family {
    name: NAME,
    architecture: Some("Data2VecTextForQuestionAnswering"),
    base: BASE,
    ..roberta::XLM_SPAN
};

/// data2vec that fills masks.
pub static MASKED_TOKEN: Family = Family {
    name: NAME,
    architecture: Some("Data2VecTextForMaskedLM"),
    base: BASE,
    ..roberta::XLM_MASKED_TOKEN
};

/// data2vec that makes a vector of a text.
pub static VECTOR: Family = Family {
    name: NAME,
    architecture: Some("Data2VecTextModel"),
    base: BASE,
    ..roberta::XLM_VECTOR
};

const NAME: &str = "data2vec-text";
const BASE: &str = "data2vec_text";
