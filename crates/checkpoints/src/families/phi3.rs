//! Phi-3 and Phi-4 (Abdin et al. 2024), as language models: Llamas whose linear maps stand side by side in
//! one tensor.

use super::{bert, heads, llama, mistral};
use crate::Family;
use crate::family::{Keys, Names};
use crate::keys::rotary::{ORIGINAL as ORIGINAL_POSITIONS, SHARED_PARAMETERS, THETA, share};
use crate::keys::{CLASSES, Key};
use relprop_rules::operations::NormScale;
use relprop_transformer::{InputConfig, RotaryScaling, TransformerConfig};
use serde_json::{Value, json};

/// Phi-3.
pub static PHI3: Family = Family {
    name: "phi3",
    architecture: Some("Phi3ForCausalLM"),
    start,
    keys: &[llama::KEYS, llama::NORM, OWN, mistral::WINDOW],
    // Dropout.
    ignored_keys: &["resid_pdrop", "embd_pdrop"],
    tensors: &[FUSED, GATED, llama::TENSORS],
    ..llama::LLAMA
};

/// Phi-3 that makes a vector of a text.
pub static VECTOR: Family = Family {
    architecture: Some("Phi3Model"),
    start: || heads::vector(start()),
    keys: &[llama::KEYS, llama::NORM, OWN, mistral::WINDOW],
    tensors: &[bert::DENSE, FUSED, GATED, llama::TENSORS],
    ..PHI3
};

/// Phi-3 that classifies a text, read at its last token.
pub static LABELS: Family = Family {
    architecture: Some("Phi3ForSequenceClassification"),
    start: || heads::labels_at_end(start()),
    keys: &[llama::KEYS, llama::NORM, OWN, mistral::WINDOW, CLASSES],
    tensors: &[llama::SCORE, FUSED, GATED, llama::TENSORS],
    ..PHI3
};

/// Phi-3 with a label for each token.
pub static TOKEN_LABELS: Family = Family {
    architecture: Some("Phi3ForTokenClassification"),
    start: || heads::token_labels(start()),
    keys: &[llama::KEYS, llama::NORM, OWN, mistral::WINDOW, CLASSES],
    tensors: &[llama::SCORE, FUSED, GATED, llama::TENSORS],
    ..PHI3
};

#[rustfmt::skip]
const OWN: Keys = &[
    // Which part of a head is turned depends on its width.
    ("head_dim", llama::OWN_HEAD_WIDTH),
    ("partial_rotary_factor", share::<100>()),
    ("rope_theta", THETA),
    ("rope_scaling", PARAMETERS),
    ("rope_parameters", PARAMETERS),
    ("original_max_position_embeddings", ORIGINAL),
    ("hidden_act", llama::ACTIVATION),
];

/// `rope_parameters`, in which LongRoPE has two older names.
const PARAMETERS: Key = Key::Custom {
    required: false,
    read: |config, value| {
        let mut value = value.clone();
        for key in ["rope_type", "type"] {
            match value.get_mut(key) {
                Some(kind) if *kind == "su" || *kind == "yarn" => *kind = "longrope".into(),
                _ => {}
            }
        }
        SHARED_PARAMETERS.read(config, &value)
    },
    write: |config| SHARED_PARAMETERS.write(config),
};

/// How many tokens a text could have before LongRoPE: 4096 where the file is silent.
const ORIGINAL: Key = Key::Derived {
    read: |config, value| match value {
        None | Some(Value::Null) => ORIGINAL_POSITIONS.read(config, &json!(4096)),
        Some(value) => ORIGINAL_POSITIONS.read(config, value),
    },
    write: |config| match config.attention.rotary.and_then(|rotary| rotary.scaling) {
        Some(RotaryScaling::Long {
            original_positions, ..
        }) => json!(original_positions),
        _ => json!(4096),
    },
};

#[rustfmt::skip]
const FUSED: Names = &[
    ("encoder.{}.attention.query", "$.layers.{}.self_attn.qkv_proj"),
    ("encoder.{}.attention.key", "$.layers.{}.self_attn.qkv_proj"),
    ("encoder.{}.attention.value", "$.layers.{}.self_attn.qkv_proj"),
];

/// The gate and the map up as one tensor.
#[rustfmt::skip]
pub const GATED: Names = &[
    ("encoder.{}.feed_forward.gate", "$.layers.{}.mlp.gate_up_proj"),
    ("encoder.{}.feed_forward.up", "$.layers.{}.mlp.gate_up_proj"),
];

fn start() -> TransformerConfig {
    let mut config = bert::sizes(llama::start(), [3072, 32, 32, 8192, 4096]);
    config.input = InputConfig::Tokens { vocabulary: 32064 };
    config.norm.scale = NormScale::RootMeanSquare(1e-5);
    // Its default is no token of smaller vocabularies.
    config.padding_token = 0;
    config
}
