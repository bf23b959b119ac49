//! The families, one a file. To add one, see `docs/add-a-model.md`.

mod bert;
mod distilbert;
mod electra;
mod gemma;
mod gpt2;
mod llama;
mod mistral;
mod qwen;
mod relprop;
mod roberta;
mod vit;

use super::Family;

/// Every family. Which of two that could write a model does so is the earlier one.
pub(super) static FAMILIES: [&Family; 15] = [
    &bert::BERT,
    &roberta::ROBERTA,
    &roberta::XLM_ROBERTA,
    &distilbert::DISTILBERT,
    &electra::ELECTRA,
    &gpt2::GPT2,
    &llama::LLAMA,
    &mistral::MISTRAL,
    &qwen::QWEN2,
    &qwen::QWEN3,
    &gemma::GEMMA,
    &vit::VIT,
    &vit::DEIT,
    &vit::DEIT_ALONE,
    &relprop::RELPROP,
];
