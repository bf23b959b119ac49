//! The families, one in each file, and the list of them.
//!
//! A family of your own can build on their tables: `docs/add-a-model.md` adds one step by step.

pub mod albert;
pub mod bart;
pub mod beit;
pub mod bert;
pub mod bloom;
pub mod clip;
pub mod cohere;
pub mod cohere2;
pub mod data2vec;
pub mod deberta;
pub mod deberta_v1;
pub mod dinov2;
pub mod distilbert;
pub mod electra;
pub mod ernie;
pub mod ernie4_5;
pub mod esm;
pub mod eurobert;
pub mod exaone4;
pub mod falcon;
pub mod gemma;
pub mod gemma2;
pub mod gemma3;
pub mod glm;
pub mod gpt2;
pub mod gpt_bigcode;
pub mod gpt_neo;
pub mod gpt_neox;
pub mod gpt_oss;
pub mod gptj;
pub mod granite;
pub mod heads;
pub mod helium;
pub mod jina_embeddings_v3;
pub mod llama;
pub mod m2m_100;
pub mod marian;
pub mod mbart;
pub mod megatron_bert;
pub mod ministral;
pub mod mistral;
pub mod modernbert;
pub mod moe;
pub mod mpnet;
pub mod mpt;
pub mod mt5;
pub mod multimodal;
pub mod nomic_bert;
pub mod olmo;
pub mod olmo2;
pub mod olmo3;
pub mod olmoe;
pub mod opt;
pub mod pegasus;
pub mod phi;
pub mod phi3;
pub mod qwen;
pub mod relprop;
pub mod roberta;
pub mod roberta_prelayernorm;
pub mod seed_oss;
pub mod siglip;
pub mod smollm3;
pub mod stablelm;
pub mod starcoder2;
pub mod swin;
pub mod t5;
pub mod umt5;
pub mod vit;
pub mod xglm;
pub mod xlm_roberta_xl;

use super::Family;

/// Every family. A model is written as the first family in this list that can express it.
pub static FAMILIES: &[&Family] = &[
    &bert::BERT,
    &bert::TOKEN_LABELS,
    &bert::SPAN,
    &bert::MASKED_TOKEN,
    &bert::PRE_TRAINED,
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
    &roberta::CAMEMBERT,
    &roberta::CAMEMBERT_TOKEN_LABELS,
    &roberta::CAMEMBERT_SPAN,
    &roberta::CAMEMBERT_MASKED_TOKEN,
    &roberta::CAMEMBERT_VECTOR,
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
    &albert::ALBERT,
    &albert::TOKEN_LABELS,
    &albert::SPAN,
    &albert::MASKED_TOKEN,
    &albert::PRE_TRAINED,
    &albert::VECTOR,
    &mpnet::MPNET,
    &mpnet::TOKEN_LABELS,
    &mpnet::SPAN,
    &mpnet::MASKED_TOKEN,
    &mpnet::VECTOR,
    &deberta_v1::DEBERTA,
    &deberta_v1::TOKEN_LABELS,
    &deberta_v1::SPAN,
    &deberta_v1::MASKED_TOKEN,
    &deberta_v1::VECTOR,
    &deberta::DEBERTA_V2,
    &deberta::TOKEN_LABELS,
    &deberta::SPAN,
    &deberta::MASKED_TOKEN,
    &deberta::VECTOR,
    &esm::ESM,
    &esm::TOKEN_LABELS,
    &esm::MASKED_TOKEN,
    &esm::VECTOR,
    &modernbert::MODERNBERT,
    &modernbert::TOKEN_LABELS,
    &modernbert::SPAN,
    &modernbert::MASKED_TOKEN,
    &modernbert::VECTOR,
    &eurobert::EUROBERT,
    &eurobert::TOKEN_LABELS,
    &eurobert::MASKED_TOKEN,
    &eurobert::VECTOR,
    &nomic_bert::NOMIC_BERT,
    &nomic_bert::NOMIC_TOKEN_LABELS,
    &nomic_bert::NOMIC_MASKED_TOKEN,
    &nomic_bert::NOMIC_VECTOR,
    &nomic_bert::GTE,
    &nomic_bert::GTE_TOKEN_LABELS,
    &nomic_bert::GTE_MASKED_TOKEN,
    &nomic_bert::GTE_VECTOR,
    &ernie::ERNIE,
    &ernie::TOKEN_LABELS,
    &ernie::SPAN,
    &ernie::MASKED_TOKEN,
    &ernie::PRE_TRAINED,
    &ernie::VECTOR,
    &data2vec::DATA2VEC,
    &data2vec::TOKEN_LABELS,
    &data2vec::SPAN,
    &data2vec::MASKED_TOKEN,
    &data2vec::VECTOR,
    &megatron_bert::MEGATRON_BERT,
    &megatron_bert::TOKEN_LABELS,
    &megatron_bert::SPAN,
    &megatron_bert::MASKED_TOKEN,
    &megatron_bert::PRE_TRAINED,
    &megatron_bert::VECTOR,
    &xlm_roberta_xl::XLM_ROBERTA_XL,
    &xlm_roberta_xl::TOKEN_LABELS,
    &xlm_roberta_xl::SPAN,
    &xlm_roberta_xl::MASKED_TOKEN,
    &xlm_roberta_xl::VECTOR,
    &roberta_prelayernorm::ROBERTA_PRELAYERNORM,
    &roberta_prelayernorm::TOKEN_LABELS,
    &roberta_prelayernorm::SPAN,
    &roberta_prelayernorm::MASKED_TOKEN,
    &roberta_prelayernorm::VECTOR,
    &jina_embeddings_v3::JINA_EMBEDDINGS_V3,
    &jina_embeddings_v3::TOKEN_LABELS,
    &jina_embeddings_v3::SPAN,
    &jina_embeddings_v3::MASKED_TOKEN,
    &jina_embeddings_v3::VECTOR,
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
    &opt::OPT,
    &opt::LABELS,
    &opt::SPAN,
    &opt::VECTOR,
    &gpt_neo::GPT_NEO,
    &gpt_neo::LABELS,
    &gpt_neo::TOKEN_LABELS,
    &gpt_neo::SPAN,
    &gpt_neo::VECTOR,
    &gpt_neox::GPT_NEOX,
    &gpt_neox::LABELS,
    &gpt_neox::TOKEN_LABELS,
    &gpt_neox::SPAN,
    &gpt_neox::VECTOR,
    &gptj::GPTJ,
    &gptj::LABELS,
    &gptj::SPAN,
    &gptj::VECTOR,
    &bloom::BLOOM,
    &bloom::LABELS,
    &bloom::TOKEN_LABELS,
    &bloom::SPAN,
    &bloom::VECTOR,
    &falcon::FALCON,
    &falcon::LABELS,
    &falcon::TOKEN_LABELS,
    &falcon::SPAN,
    &falcon::VECTOR,
    &phi::PHI,
    &phi::LABELS,
    &phi::TOKEN_LABELS,
    &phi::VECTOR,
    &phi3::PHI3,
    &phi3::LABELS,
    &phi3::TOKEN_LABELS,
    &phi3::VECTOR,
    &starcoder2::STARCODER2,
    &starcoder2::LABELS,
    &starcoder2::TOKEN_LABELS,
    &starcoder2::VECTOR,
    &stablelm::STABLELM,
    &stablelm::LABELS,
    &stablelm::TOKEN_LABELS,
    &stablelm::VECTOR,
    &granite::GRANITE,
    &granite::VECTOR,
    &smollm3::SMOLLM3,
    &smollm3::LABELS,
    &smollm3::TOKEN_LABELS,
    &smollm3::SPAN,
    &smollm3::VECTOR,
    &ministral::MINISTRAL,
    &ministral::LABELS,
    &ministral::TOKEN_LABELS,
    &ministral::SPAN,
    &ministral::VECTOR,
    &olmo2::OLMO2,
    &olmo2::LABELS,
    &olmo2::VECTOR,
    &gemma2::GEMMA2,
    &gemma2::LABELS,
    &gemma2::TOKEN_LABELS,
    &gemma2::VECTOR,
    &gemma3::GEMMA3,
    &gemma3::LABELS,
    &gemma3::VECTOR,
    &multimodal::GEMMA3,
    &multimodal::MISTRAL3,
    &moe::MIXTRAL,
    &moe::MIXTRAL_LABELS,
    &moe::MIXTRAL_TOKEN_LABELS,
    &moe::MIXTRAL_SPAN,
    &moe::MIXTRAL_VECTOR,
    &moe::QWEN2_MOE,
    &moe::QWEN2_MOE_LABELS,
    &moe::QWEN2_MOE_TOKEN_LABELS,
    &moe::QWEN2_MOE_SPAN,
    &moe::QWEN2_MOE_VECTOR,
    &moe::QWEN3_MOE,
    &moe::QWEN3_MOE_LABELS,
    &moe::QWEN3_MOE_TOKEN_LABELS,
    &moe::QWEN3_MOE_SPAN,
    &moe::QWEN3_MOE_VECTOR,
    &gpt_oss::GPT_OSS,
    &gpt_oss::LABELS,
    &gpt_oss::TOKEN_LABELS,
    &gpt_oss::VECTOR,
    &olmoe::OLMOE,
    &olmoe::VECTOR,
    &gpt_bigcode::GPT_BIGCODE,
    &gpt_bigcode::LABELS,
    &gpt_bigcode::TOKEN_LABELS,
    &gpt_bigcode::VECTOR,
    &mpt::MPT,
    &mpt::LABELS,
    &mpt::TOKEN_LABELS,
    &mpt::SPAN,
    &mpt::VECTOR,
    &xglm::XGLM,
    &xglm::VECTOR,
    &olmo::OLMO,
    &olmo::LABELS,
    &olmo::VECTOR,
    &olmo3::OLMO3,
    &olmo3::LABELS,
    &olmo3::VECTOR,
    &cohere::COHERE,
    &cohere::VECTOR,
    &cohere2::COHERE2,
    &cohere2::VECTOR,
    &glm::GLM,
    &glm::LABELS,
    &glm::TOKEN_LABELS,
    &glm::VECTOR,
    &glm::GLM4,
    &glm::GLM4_LABELS,
    &glm::GLM4_TOKEN_LABELS,
    &glm::GLM4_VECTOR,
    &ernie4_5::ERNIE4_5,
    &ernie4_5::VECTOR,
    &exaone4::EXAONE4,
    &exaone4::LABELS,
    &exaone4::TOKEN_LABELS,
    &exaone4::SPAN,
    &exaone4::VECTOR,
    &helium::HELIUM,
    &helium::LABELS,
    &helium::TOKEN_LABELS,
    &helium::VECTOR,
    &seed_oss::SEED_OSS,
    &seed_oss::LABELS,
    &seed_oss::TOKEN_LABELS,
    &seed_oss::SPAN,
    &seed_oss::VECTOR,
    &t5::T5,
    &t5::LABELS,
    &t5::TOKEN_LABELS,
    &t5::SPAN,
    &t5::VECTOR,
    &mt5::MT5,
    &mt5::LABELS,
    &mt5::TOKEN_LABELS,
    &mt5::SPAN,
    &mt5::VECTOR,
    &umt5::UMT5,
    &umt5::LABELS,
    &umt5::TOKEN_LABELS,
    &umt5::SPAN,
    &umt5::VECTOR,
    &bart::BART,
    &bart::LABELS,
    &bart::SPAN,
    &mbart::MBART,
    &marian::MARIAN,
    &pegasus::PEGASUS,
    &m2m_100::M2M_100,
    &vit::VIT,
    &vit::VECTOR,
    &vit::DEIT,
    &vit::DEIT_ALONE,
    &vit::DEIT_VECTOR,
    &dinov2::DINOV2,
    &dinov2::VECTOR,
    &dinov2::WITH_REGISTERS,
    &dinov2::VECTOR_WITH_REGISTERS,
    &beit::BEIT,
    &beit::VECTOR,
    &siglip::LABELS,
    &clip::TEXT,
    &clip::TEXT_STATES,
    &clip::PICTURE,
    &clip::PICTURE_STATES,
    &siglip::TEXT,
    &siglip::PICTURE,
    &swin::SWIN,
    &swin::VECTOR,
    &relprop::RELPROP,
];
