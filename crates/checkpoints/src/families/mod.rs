//! The families, one a file, and the list of them.
//!
//! A family of your own can build on their tables: `docs/add-a-model.md` adds one step by step.

pub mod bert;
pub mod distilbert;
pub mod electra;
pub mod gemma;
pub mod gpt2;
pub mod heads;
pub mod llama;
pub mod mistral;
pub mod qwen;
pub mod relprop;
pub mod roberta;
pub mod vit;

use super::Family;

/// Every family. Which of two that could write a model does so is the earlier one.
pub static FAMILIES: &[&Family] = &[
    &bert::BERT,
    &bert::TOKEN_LABELS,
    &bert::SPAN,
    &bert::MASKED_TOKEN,
    &bert::VECTOR,
    &roberta::ROBERTA,
    &roberta::TOKEN_LABELS,
    &roberta::SPAN,
    &roberta::MASKED_TOKEN,
    &roberta::VECTOR,
    &roberta::XLM_ROBERTA,
    &roberta::XLM_TOKEN_LABELS,
    &roberta::XLM_SPAN,
    &roberta::XLM_MASKED_TOKEN,
    &roberta::XLM_VECTOR,
    &distilbert::DISTILBERT,
    &distilbert::TOKEN_LABELS,
    &distilbert::SPAN,
    &distilbert::MASKED_TOKEN,
    &distilbert::VECTOR,
    &electra::ELECTRA,
    &electra::TOKEN_LABELS,
    &electra::SPAN,
    &electra::MASKED_TOKEN,
    &electra::DISCRIMINATOR,
    &electra::VECTOR,
    &gpt2::GPT2,
    &gpt2::GPT2_LABELS,
    &gpt2::GPT2_TOKEN_LABELS,
    &gpt2::GPT2_SPAN,
    &gpt2::GPT2_VECTOR,
    &llama::LLAMA,
    &llama::LLAMA_LABELS,
    &llama::LLAMA_TOKEN_LABELS,
    &llama::LLAMA_SPAN,
    &llama::LLAMA_VECTOR,
    &mistral::MISTRAL,
    &mistral::MISTRAL_LABELS,
    &mistral::MISTRAL_TOKEN_LABELS,
    &mistral::MISTRAL_SPAN,
    &mistral::MISTRAL_VECTOR,
    &qwen::QWEN2,
    &qwen::QWEN2_LABELS,
    &qwen::QWEN2_TOKEN_LABELS,
    &qwen::QWEN2_SPAN,
    &qwen::QWEN2_VECTOR,
    &qwen::QWEN3,
    &qwen::QWEN3_LABELS,
    &qwen::QWEN3_TOKEN_LABELS,
    &qwen::QWEN3_SPAN,
    &qwen::QWEN3_VECTOR,
    &gemma::GEMMA,
    &gemma::GEMMA_LABELS,
    &gemma::GEMMA_TOKEN_LABELS,
    &gemma::GEMMA_SPAN,
    &gemma::GEMMA_VECTOR,
    &vit::VIT,
    &vit::DEIT,
    &vit::DEIT_ALONE,
    &relprop::RELPROP,
];
