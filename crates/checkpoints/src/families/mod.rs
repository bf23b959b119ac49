//! The families, one a file, and the list of them.
//!
//! A family of your own can build on their tables: `docs/add-a-model.md` adds one step by step.

pub mod albert;
pub mod bert;
pub mod bloom;
pub mod deberta;
pub mod distilbert;
pub mod electra;
pub mod falcon;
pub mod gemma;
pub mod gemma2;
pub mod gemma3;
pub mod gpt2;
pub mod gpt_neo;
pub mod gpt_neox;
pub mod gptj;
pub mod granite;
pub mod llama;
pub mod ministral;
pub mod mistral;
pub mod mpnet;
pub mod olmo2;
pub mod opt;
pub mod phi;
pub mod phi3;
pub mod qwen;
pub mod relprop;
pub mod roberta;
pub mod smollm3;
pub mod stablelm;
pub mod starcoder2;
pub mod vit;

use super::Family;

/// Every family. Which of two that could write a model does so is the earlier one.
pub static FAMILIES: &[&Family] = &[
    &bert::BERT,
    &roberta::ROBERTA,
    &roberta::XLM_ROBERTA,
    &roberta::CAMEMBERT,
    &distilbert::DISTILBERT,
    &electra::ELECTRA,
    &albert::ALBERT,
    &mpnet::MPNET,
    &deberta::DEBERTA_V2,
    &gpt2::GPT2,
    &llama::LLAMA,
    &mistral::MISTRAL,
    &qwen::QWEN2,
    &qwen::QWEN3,
    &gemma::GEMMA,
    &opt::OPT,
    &gpt_neo::GPT_NEO,
    &gpt_neox::GPT_NEOX,
    &gptj::GPTJ,
    &bloom::BLOOM,
    &falcon::FALCON,
    &phi::PHI,
    &phi3::PHI3,
    &starcoder2::STARCODER2,
    &stablelm::STABLELM,
    &granite::GRANITE,
    &smollm3::SMOLLM3,
    &ministral::MINISTRAL,
    &olmo2::OLMO2,
    &gemma2::GEMMA2,
    &gemma3::GEMMA3,
    &vit::VIT,
    &vit::DEIT,
    &vit::DEIT_ALONE,
    &relprop::RELPROP,
];
