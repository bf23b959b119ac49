//! OLMoE (Muennighoff et al. 2025), as a language model: a Llama with experts, and with one norm for the queries of
//! all heads, and one for the keys.

use super::{bert, heads, llama, moe};
use crate::Family;
use crate::family::Keys;
use crate::keys::experts::{CHOSEN, COUNT, NORMALIZED, WIDTH, experts};
use crate::keys::{Key, rotary};
use relprop_rules::operations::NormScale;
use relprop_transformer::{ExpertsConfig, InputConfig, TransformerConfig};

/// OLMoE.
pub static OLMOE: Family = Family {
    name: "olmoe",
    architecture: Some("OlmoeForCausalLM"),
    start,
    keys: &[llama::KEYS, llama::NORM, rotary::KEYS, OWN],
    // What a training did with the router.
    ignored_keys: &["output_router_logits", "router_aux_loss_coef"],
    tensors: &[moe::QWEN_NAMES, llama::TENSORS],
    ..llama::LLAMA
};

/// OLMoE that makes a vector of a text.
pub static VECTOR: Family = Family {
    architecture: Some("OlmoeModel"),
    start: || heads::vector(start()),
    keys: &[llama::KEYS, llama::NORM, rotary::KEYS, OWN],
    tensors: &[bert::DENSE, moe::QWEN_NAMES, llama::TENSORS],
    ..OLMOE
};

#[rustfmt::skip]
const OWN: Keys = &[
    ("head_dim", llama::OWN_HEAD_WIDTH),
    ("hidden_act", llama::ACTIVATION),
    ("attention_bias", llama::ATTENTION_BIAS),
    // It would bound queries, keys and values.
    ("clip_qkv", Key::Only("null")),
    ("num_experts", COUNT),
    ("num_experts_per_tok", CHOSEN),
    ("intermediate_size", WIDTH),
    ("norm_topk_prob", NORMALIZED),
];

fn start() -> TransformerConfig {
    let mut config = bert::sizes(llama::start(), [2048, 16, 16, 2048, 4096]);
    config.input = InputConfig::Tokens { vocabulary: 50304 };
    config.norm.scale = NormScale::RootMeanSquare(1e-5);
    config.padding_token = 1;
    config.attention.query_key_norm = true;
    config.attention.whole_query_key_norm = true;
    *experts(&mut config) = ExpertsConfig {
        count: 64,
        chosen: 8,
        width: 2048,
        normalized: false,
        shared: None,
        router_bias: false,
    };
    config
}
