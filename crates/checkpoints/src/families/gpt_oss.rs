//! gpt-oss (OpenAI 2025), as a language model: every head has a sink, blocks look at a window in turns, and the maps
//! of the experts are bounded.

use super::{bert, heads, llama, ministral};
use crate::Family;
use crate::family::{Keys, Names};
use crate::keys::experts::{CHOSEN, COUNT, WIDTH, experts};
use crate::keys::{CLASSES, Key, blocks, feed_forward, number, rotary};
use relprop_rules::operations::{Activation, NormScale};
use relprop_transformer::{
    Biases, ClippedGate, ExpertsConfig, InputConfig, RotaryConfig, RotaryScaling, TransformerConfig,
};
use serde_json::json;

/// gpt-oss.
pub static GPT_OSS: Family = Family {
    name: "gpt_oss",
    architecture: Some("GptOssForCausalLM"),
    start,
    keys: &[llama::KEYS, llama::NORM, rotary::KEYS, OWN],
    // What a training did with the router.
    ignored_keys: &["output_router_logits", "router_aux_loss_coef"],
    tensors: &[NAMES, llama::TENSORS],
    stacked: EXPERTS,
    // Experts stand in the file as they do here.
    untransposed: EXPERTS,
    ..llama::LLAMA
};

/// gpt-oss that classifies a text, read at its last token.
pub static LABELS: Family = Family {
    architecture: Some("GptOssForSequenceClassification"),
    start: || heads::labels_at_end(start()),
    keys: &[llama::KEYS, llama::NORM, rotary::KEYS, OWN, CLASSES],
    tensors: &[llama::SCORE, NAMES, llama::TENSORS],
    ..GPT_OSS
};

/// gpt-oss with a label for each token.
pub static TOKEN_LABELS: Family = Family {
    architecture: Some("GptOssForTokenClassification"),
    start: || heads::token_labels(start()),
    keys: &[llama::KEYS, llama::NORM, rotary::KEYS, OWN, CLASSES],
    tensors: &[llama::SCORE, NAMES, llama::TENSORS],
    ..GPT_OSS
};

/// gpt-oss that makes a vector of a text.
pub static VECTOR: Family = Family {
    architecture: Some("GptOssModel"),
    start: || heads::vector(start()),
    keys: &[llama::KEYS, llama::NORM, rotary::KEYS, OWN],
    tensors: &[bert::DENSE, NAMES, llama::TENSORS],
    ..GPT_OSS
};

#[rustfmt::skip]
const OWN: Keys = &[
    ("head_dim", llama::HEAD_WIDTH),
    ("hidden_act", Key::Only("\"silu\"")),
    ("attention_bias", llama::ATTENTION_BIAS),
    ("num_local_experts", COUNT),
    ("num_experts_per_tok", CHOSEN),
    ("intermediate_size", WIDTH),
    ("swiglu_limit", BOUND),
    ("swiglu_alpha", SLOPE),
    ("sliding_window", ministral::WINDOW),
    ("layer_types", TYPES),
];

fn clip(config: &mut TransformerConfig) -> &mut ClippedGate {
    feed_forward(config).clip.get_or_insert(ClippedGate {
        bound: 7.0,
        slope: 1.702,
    })
}

const BOUND: Key = Key::Custom {
    required: false,
    read: |config, value| {
        clip(config).bound = number(value)?;
        Ok(())
    },
    write: |config| {
        json!(
            config
                .feed_forward
                .and_then(|part| part.clip)
                .map(|clip| clip.bound)
        )
    },
};

const SLOPE: Key = Key::Custom {
    required: false,
    read: |config, value| {
        clip(config).slope = number(value)?;
        Ok(())
    },
    write: |config| {
        json!(
            config
                .feed_forward
                .and_then(|part| part.clip)
                .map(|clip| clip.slope)
        )
    },
};

/// Which blocks have the window: every other one, the first among them.
const TYPES: Key = Key::Derived {
    read: |config, value| blocks::read_layer_types(config, value, |index| index.is_multiple_of(2)),
    write: blocks::write_layer_types,
};

const EXPERTS: &[&str] = &[
    "encoder.{}.experts.each.{}.gate",
    "encoder.{}.experts.each.{}.up",
    "encoder.{}.experts.each.{}.down",
];

#[rustfmt::skip]
const NAMES: Names = &[
    ("encoder.{}.attention.sinks", "$.layers.{}.self_attn.sinks"),
    ("encoder.{}.experts.router", "$.layers.{}.mlp.router"),
    ("encoder.{}.experts.each.{}.gate.weight", "$.layers.{}.mlp.experts.gate_up_proj"),
    ("encoder.{}.experts.each.{}.up.weight", "$.layers.{}.mlp.experts.gate_up_proj"),
    ("encoder.{}.experts.each.{}.down.weight", "$.layers.{}.mlp.experts.down_proj"),
    ("encoder.{}.experts.each.{}.gate.bias", "$.layers.{}.mlp.experts.gate_up_proj_bias"),
    ("encoder.{}.experts.each.{}.up.bias", "$.layers.{}.mlp.experts.gate_up_proj_bias"),
    ("encoder.{}.experts.each.{}.down.bias", "$.layers.{}.mlp.experts.down_proj_bias"),
];

fn start() -> TransformerConfig {
    let mut config = bert::sizes(llama::start(), [2880, 36, 64, 2880, 131_072]);
    config.input = InputConfig::Tokens {
        vocabulary: 201_088,
    };
    config.norm.scale = NormScale::RootMeanSquare(1e-5);
    config.padding_token = 0;
    config.biases = Biases::default();
    config.attention.head_width = Some(64);
    config.attention.key_heads = Some(8);
    config.attention.window = Some(128);
    config.attention.sinks = true;
    config.attention.rotary = Some(RotaryConfig {
        scaling: Some(RotaryScaling::Yarn {
            factor: 32.0,
            fast: 32.0,
            slow: 1.0,
            original_positions: 4096,
            truncated: false,
            size: 0.1 * 32_f64.ln() + 1.0,
        }),
        ..RotaryConfig::new(150_000.0)
    });
    *experts(&mut config) = ExpertsConfig {
        count: 128,
        chosen: 4,
        width: 2880,
        normalized: true,
        shared: None,
        router_bias: true,
    };
    let part = feed_forward(&mut config);
    part.activation = Activation::Silu;
    part.gated = true;
    clip(&mut config);
    config
}
