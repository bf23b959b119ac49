//! Phi-1 and Phi-2 (Gunasekar et al. 2023; Javaheripi et al. 2023), as language models: both parts of a block
//! read what came in by one norm, half of a head's features is turned, and the head has a bias.

use super::{bert, heads, llama, starcoder2};
use crate::Family;
use crate::family::{Keys, Names};
use crate::keys::rotary::{SHARED_PARAMETERS, THETA, share};
use crate::keys::{CLASSES, EPSILON, Key, feed_forward};
use relprop_rules::operations::Activation;
use relprop_transformer::{Biases, Branches, FeedForwardConfig, InputConfig, TransformerConfig};

/// Phi.
pub static PHI: Family = Family {
    name: "phi",
    architecture: Some("PhiForCausalLM"),
    start,
    keys: &[llama::KEYS, OWN],
    ignored_keys: &["embd_pdrop"],
    tensors: &[TENSORS, llama::TENSORS],
    ..llama::LLAMA
};

/// Phi that makes a vector of a text.
pub static VECTOR: Family = Family {
    architecture: Some("PhiModel"),
    start: || heads::vector(start()),
    keys: &[llama::KEYS, OWN],
    tensors: &[bert::DENSE, TENSORS, llama::TENSORS],
    ..PHI
};

/// Phi that classifies a text, read at its last token.
pub static LABELS: Family = Family {
    architecture: Some("PhiForSequenceClassification"),
    start: || heads::labels_at_end(start()),
    keys: &[llama::KEYS, OWN, CLASSES],
    tensors: &[llama::SCORE, TENSORS, llama::TENSORS],
    ..PHI
};

/// Phi with a label for each token.
pub static TOKEN_LABELS: Family = Family {
    architecture: Some("PhiForTokenClassification"),
    start: || heads::token_labels(start()),
    keys: &[llama::KEYS, OWN, CLASSES],
    tensors: &[llama::SCORE, TENSORS, llama::TENSORS],
    ..PHI
};

#[rustfmt::skip]
const OWN: Keys = &[
    ("layer_norm_eps", EPSILON),
    ("head_dim", llama::OWN_HEAD_WIDTH),
    ("partial_rotary_factor", share::<50>()),
    ("rope_theta", THETA),
    ("rope_scaling", SHARED_PARAMETERS),
    ("rope_parameters", SHARED_PARAMETERS),
    ("hidden_act", llama::ACTIVATION),
    ("resid_pdrop", Key::Number(|c| &mut c.dropout)),
    ("qk_layernorm", Key::Only("false")),
];

const TENSORS: Names = &[
    ("encoder.{}.attention.output", "$.layers.{}.self_attn.dense"),
    ("encoder.{}.feed_forward.up", "$.layers.{}.mlp.fc1"),
    ("encoder.{}.feed_forward.down", "$.layers.{}.mlp.fc2"),
    ("final_norm", "$.final_layernorm"),
];

fn start() -> TransformerConfig {
    let mut config = TransformerConfig {
        input: InputConfig::Tokens { vocabulary: 51200 },
        biases: Biases {
            next_token: true,
            ..Biases::default()
        },
        branches: Branches::ParallelOneNorm,
        norm: starcoder2::layer_norm(1e-5),
        ..bert::sizes(llama::start(), [2048, 24, 32, 8192, 2048])
    };
    *feed_forward(&mut config) = FeedForwardConfig {
        width: 8192,
        activation: Activation::GeluTanh,
        gated: false,
        clip: None,
    };
    config
}
