//! The families, one a file. To add one, see `docs/add-a-model.md`.

mod bert;
mod distilbert;
mod electra;
mod relprop;
mod roberta;

use super::Family;

/// Every family. Which of two that could write a model does so is the earlier one.
pub(super) static FAMILIES: [&Family; 6] = [
    &bert::BERT,
    &roberta::ROBERTA,
    &roberta::XLM_ROBERTA,
    &distilbert::DISTILBERT,
    &electra::ELECTRA,
    &relprop::RELPROP,
];
