//! Mixtral (Jiang et al. 2024), Qwen2-MoE and Qwen3-MoE (Yang et al. 2024, 2025): a Mistral and two Qwens with
//! experts in the place of feed-forward parts.

use super::{bert, heads, llama, mistral, qwen};
use crate::Family;
use crate::family::{Keys, Names};
use crate::keys::experts::{CHOSEN, COUNT, DENSE, NORMALIZED, SHARED, STEP, WIDTH, experts};
use crate::keys::{CLASSES, Key, feed_forward, rotary};
use relprop_transformer::{ExpertsConfig, TransformerConfig};

/// Mixtral, as a language model.
pub static MIXTRAL: Family = Family {
    name: "mixtral",
    architecture: Some("MixtralForCausalLM"),
    start: start_of_mixtral,
    keys: &[
        llama::KEYS,
        llama::NORM,
        rotary::KEYS,
        llama::PARTS,
        mistral::WINDOW,
        OF_MIXTRAL,
    ],
    ignored_keys: IGNORED_KEYS,
    tensors: &[MIXTRAL_NAMES, llama::TENSORS],
    ..llama::LLAMA
};

/// Qwen2-MoE, as a language model.
pub static QWEN2_MOE: Family = Family {
    name: "qwen2_moe",
    architecture: Some("Qwen2MoeForCausalLM"),
    start: start_of_qwen2,
    keys: &[
        llama::KEYS,
        llama::NORM,
        rotary::KEYS,
        llama::OWN_PARTS,
        qwen::WINDOW,
        OF_QWEN2,
    ],
    ignored_keys: IGNORED_BY_QWEN,
    tensors: &[QWEN_NAMES, llama::TENSORS],
    ..llama::LLAMA
};

/// Qwen3-MoE, as a language model.
pub static QWEN3_MOE: Family = Family {
    name: "qwen3_moe",
    architecture: Some("Qwen3MoeForCausalLM"),
    start: start_of_qwen3,
    keys: &[
        llama::KEYS,
        llama::NORM,
        rotary::KEYS,
        llama::PARTS,
        qwen::WINDOW,
        qwen::BIAS,
        OF_QWEN3,
    ],
    ignored_keys: IGNORED_BY_QWEN,
    tensors: &[QWEN_NAMES, llama::TENSORS],
    ..llama::LLAMA
};

/// Mixtral that classifies a text, read at its last token.
pub static MIXTRAL_LABELS: Family = Family {
    architecture: Some("MixtralForSequenceClassification"),
    start: || heads::labels_at_end(start_of_mixtral()),
    keys: &[
        llama::KEYS,
        llama::NORM,
        rotary::KEYS,
        llama::PARTS,
        mistral::WINDOW,
        OF_MIXTRAL,
        CLASSES,
    ],
    tensors: &[llama::SCORE, MIXTRAL_NAMES, llama::TENSORS],
    ..MIXTRAL
};

/// Mixtral with a label for each token.
pub static MIXTRAL_TOKEN_LABELS: Family = Family {
    architecture: Some("MixtralForTokenClassification"),
    start: || heads::token_labels(start_of_mixtral()),
    keys: &[
        llama::KEYS,
        llama::NORM,
        rotary::KEYS,
        llama::PARTS,
        mistral::WINDOW,
        OF_MIXTRAL,
        CLASSES,
    ],
    tensors: &[llama::SCORE, MIXTRAL_NAMES, llama::TENSORS],
    ..MIXTRAL
};

/// Mixtral that finds the answer to a question.
pub static MIXTRAL_SPAN: Family = Family {
    architecture: Some("MixtralForQuestionAnswering"),
    start: || heads::span(start_of_mixtral()),
    keys: &[
        llama::KEYS,
        llama::NORM,
        rotary::KEYS,
        llama::PARTS,
        mistral::WINDOW,
        OF_MIXTRAL,
    ],
    base: "transformer",
    tensors: &[bert::SPAN_HEAD, MIXTRAL_NAMES, llama::TENSORS],
    ..MIXTRAL
};

/// Mixtral that makes a vector of a text.
pub static MIXTRAL_VECTOR: Family = Family {
    architecture: Some("MixtralModel"),
    start: || heads::vector(start_of_mixtral()),
    keys: &[
        llama::KEYS,
        llama::NORM,
        rotary::KEYS,
        llama::PARTS,
        mistral::WINDOW,
        OF_MIXTRAL,
    ],
    tensors: &[bert::DENSE, MIXTRAL_NAMES, llama::TENSORS],
    ..MIXTRAL
};

/// Qwen2-MoE that classifies a text, read at its last token.
pub static QWEN2_MOE_LABELS: Family = Family {
    architecture: Some("Qwen2MoeForSequenceClassification"),
    start: || heads::labels_at_end(start_of_qwen2()),
    keys: &[
        llama::KEYS,
        llama::NORM,
        rotary::KEYS,
        llama::OWN_PARTS,
        qwen::WINDOW,
        OF_QWEN2,
        CLASSES,
    ],
    tensors: &[llama::SCORE, QWEN_NAMES, llama::TENSORS],
    ..QWEN2_MOE
};

/// Qwen2-MoE with a label for each token.
pub static QWEN2_MOE_TOKEN_LABELS: Family = Family {
    architecture: Some("Qwen2MoeForTokenClassification"),
    start: || heads::token_labels(start_of_qwen2()),
    keys: &[
        llama::KEYS,
        llama::NORM,
        rotary::KEYS,
        llama::OWN_PARTS,
        qwen::WINDOW,
        OF_QWEN2,
        CLASSES,
    ],
    tensors: &[llama::SCORE, QWEN_NAMES, llama::TENSORS],
    ..QWEN2_MOE
};

/// Qwen2-MoE that finds the answer to a question.
pub static QWEN2_MOE_SPAN: Family = Family {
    architecture: Some("Qwen2MoeForQuestionAnswering"),
    start: || heads::span(start_of_qwen2()),
    keys: &[
        llama::KEYS,
        llama::NORM,
        rotary::KEYS,
        llama::OWN_PARTS,
        qwen::WINDOW,
        OF_QWEN2,
    ],
    base: "transformer",
    tensors: &[bert::SPAN_HEAD, QWEN_NAMES, llama::TENSORS],
    ..QWEN2_MOE
};

/// Qwen2-MoE that makes a vector of a text.
pub static QWEN2_MOE_VECTOR: Family = Family {
    architecture: Some("Qwen2MoeModel"),
    start: || heads::vector(start_of_qwen2()),
    keys: &[
        llama::KEYS,
        llama::NORM,
        rotary::KEYS,
        llama::OWN_PARTS,
        qwen::WINDOW,
        OF_QWEN2,
    ],
    tensors: &[bert::DENSE, QWEN_NAMES, llama::TENSORS],
    ..QWEN2_MOE
};

/// Qwen3-MoE that classifies a text, read at its last token.
pub static QWEN3_MOE_LABELS: Family = Family {
    architecture: Some("Qwen3MoeForSequenceClassification"),
    start: || heads::labels_at_end(start_of_qwen3()),
    keys: &[
        llama::KEYS,
        llama::NORM,
        rotary::KEYS,
        llama::PARTS,
        qwen::WINDOW,
        qwen::BIAS,
        OF_QWEN3,
        CLASSES,
    ],
    tensors: &[llama::SCORE, QWEN_NAMES, llama::TENSORS],
    ..QWEN3_MOE
};

/// Qwen3-MoE with a label for each token.
pub static QWEN3_MOE_TOKEN_LABELS: Family = Family {
    architecture: Some("Qwen3MoeForTokenClassification"),
    start: || heads::token_labels(start_of_qwen3()),
    keys: &[
        llama::KEYS,
        llama::NORM,
        rotary::KEYS,
        llama::PARTS,
        qwen::WINDOW,
        qwen::BIAS,
        OF_QWEN3,
        CLASSES,
    ],
    tensors: &[llama::SCORE, QWEN_NAMES, llama::TENSORS],
    ..QWEN3_MOE
};

/// Qwen3-MoE that finds the answer to a question.
pub static QWEN3_MOE_SPAN: Family = Family {
    architecture: Some("Qwen3MoeForQuestionAnswering"),
    start: || heads::span(start_of_qwen3()),
    keys: &[
        llama::KEYS,
        llama::NORM,
        rotary::KEYS,
        llama::PARTS,
        qwen::WINDOW,
        qwen::BIAS,
        OF_QWEN3,
    ],
    base: "transformer",
    tensors: &[bert::SPAN_HEAD, QWEN_NAMES, llama::TENSORS],
    ..QWEN3_MOE
};

/// Qwen3-MoE that makes a vector of a text.
pub static QWEN3_MOE_VECTOR: Family = Family {
    architecture: Some("Qwen3MoeModel"),
    start: || heads::vector(start_of_qwen3()),
    keys: &[
        llama::KEYS,
        llama::NORM,
        rotary::KEYS,
        llama::PARTS,
        qwen::WINDOW,
        qwen::BIAS,
        OF_QWEN3,
    ],
    tensors: &[bert::DENSE, QWEN_NAMES, llama::TENSORS],
    ..QWEN3_MOE
};

/// What a training did with the router.
const IGNORED_KEYS: &[&str] = &[
    "output_router_logits",
    "router_aux_loss_coef",
    "router_jitter_noise",
];

/// The same, and the sizes of a window that is off.
const IGNORED_BY_QWEN: &[&str] = &[
    "output_router_logits",
    "router_aux_loss_coef",
    "sliding_window",
    "max_window_layers",
];

#[rustfmt::skip]
const OF_MIXTRAL: Keys = &[
    ("num_local_experts", COUNT),
    ("num_experts_per_tok", CHOSEN),
    ("intermediate_size", WIDTH),
];

#[rustfmt::skip]
const OF_QWEN3: Keys = &[
    ("num_local_experts", COUNT),
    ("num_experts_per_tok", CHOSEN),
    ("moe_intermediate_size", WIDTH),
    ("norm_topk_prob", NORMALIZED),
    ("mlp_only_layers", DENSE),
    ("decoder_sparse_step", STEP),
];

#[rustfmt::skip]
const OF_QWEN2: Keys = &[
    ("num_experts", COUNT),
    ("num_experts_per_tok", CHOSEN),
    ("moe_intermediate_size", WIDTH),
    ("shared_expert_intermediate_size", SHARED),
    ("norm_topk_prob", NORMALIZED),
    ("mlp_only_layers", DENSE),
    ("decoder_sparse_step", STEP),
    ("qkv_bias", Key::Flag(|c| &mut c.biases.attention)),
];

#[rustfmt::skip]
const MIXTRAL_NAMES: Names = &[
    ("encoder.{}.experts.router", "$.layers.{}.block_sparse_moe.gate"),
    ("encoder.{}.experts.each.{}.gate", "$.layers.{}.block_sparse_moe.experts.{}.w1"),
    ("encoder.{}.experts.each.{}.up", "$.layers.{}.block_sparse_moe.experts.{}.w3"),
    ("encoder.{}.experts.each.{}.down", "$.layers.{}.block_sparse_moe.experts.{}.w2"),
];

#[rustfmt::skip]
pub(super) const QWEN_NAMES: Names = &[
    ("encoder.{}.experts.router", "$.layers.{}.mlp.gate"),
    ("encoder.{}.experts.each.{}.gate", "$.layers.{}.mlp.experts.{}.gate_proj"),
    ("encoder.{}.experts.each.{}.up", "$.layers.{}.mlp.experts.{}.up_proj"),
    ("encoder.{}.experts.each.{}.down", "$.layers.{}.mlp.experts.{}.down_proj"),
    ("encoder.{}.experts.shared.gate", "$.layers.{}.mlp.shared_expert.gate_proj"),
    ("encoder.{}.experts.shared.up", "$.layers.{}.mlp.shared_expert.up_proj"),
    ("encoder.{}.experts.shared.down", "$.layers.{}.mlp.shared_expert.down_proj"),
    ("encoder.{}.experts.shared_gate", "$.layers.{}.mlp.shared_expert_gate"),
];

fn start_of_mixtral() -> TransformerConfig {
    let mut config = mistral::start();
    config.attention.window = None;
    if let Some(rotary) = &mut config.attention.rotary {
        rotary.theta = 1e6;
    }
    config.norm.scale = relprop_rules::operations::NormScale::RootMeanSquare(1e-5);
    experts(&mut config);
    config
}

fn start_of_qwen2() -> TransformerConfig {
    let mut config = bert::sizes(qwen::start_of_2(), [2048, 24, 16, 5632, 32768]);
    config.attention.key_heads = None;
    *experts(&mut config) = ExpertsConfig {
        count: 60,
        chosen: 4,
        width: 1408,
        normalized: false,
        shared: Some(5632),
        router_bias: false,
    };
    config
}

fn start_of_qwen3() -> TransformerConfig {
    let mut config = bert::sizes(qwen::start_of_3(), [2048, 24, 32, 6144, 32768]);
    config.attention.key_heads = Some(4);
    config.attention.head_width = None;
    feed_forward(&mut config).width = 6144;
    *experts(&mut config) = ExpertsConfig {
        count: 128,
        chosen: 8,
        width: 768,
        normalized: false,
        shared: None,
        router_bias: false,
    };
    config
}
