//! The families, one in each file, and the list of them.
//!
//! A family of your own can build on their tables: `docs/add-a-model.md` adds one step by step.

pub mod bert;
pub mod distilbert;
pub mod electra;
pub mod gemma;
pub mod gpt2;
pub mod llama;
pub mod mistral;
pub mod qwen;
pub mod relprop;
pub mod roberta;
pub mod vit;

use super::Family;

/// Every family. A model is written as the first family in this list that can express it.
pub static FAMILIES: &[&Family] = &[
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
