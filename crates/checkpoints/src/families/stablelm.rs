//! StableLM (Bellagente et al. 2024), as a language model: a Llama with LayerNorm that turns a share of a
//! head's features.

use super::{bert, heads, llama, starcoder2};
use crate::Family;
use crate::family::Keys;
use crate::keys::rotary::{SHARED_PARAMETERS, THETA, share};
use crate::keys::{CLASSES, EPSILON, Key, flag};
use relprop_transformer::{Branches, InputConfig, TransformerConfig};
use serde_json::json;

/// StableLM.
pub static STABLELM: Family = Family {
    name: "stablelm",
    architecture: Some("StableLmForCausalLM"),
    start,
    keys: &[llama::KEYS, OWN],
    ignored_keys: &[],
    ..llama::LLAMA
};

/// StableLM that makes a vector of a text.
pub static VECTOR: Family = Family {
    architecture: Some("StableLmModel"),
    start: || heads::vector(start()),
    keys: &[llama::KEYS, OWN],
    tensors: &[bert::DENSE, llama::TENSORS],
    ..STABLELM
};

/// StableLM that classifies a text, read at its last token.
pub static LABELS: Family = Family {
    architecture: Some("StableLmForSequenceClassification"),
    start: || heads::labels_at_end(start()),
    keys: &[llama::KEYS, OWN, CLASSES],
    tensors: &[llama::SCORE, llama::TENSORS],
    ..STABLELM
};

/// StableLM with a label for each token.
pub static TOKEN_LABELS: Family = Family {
    architecture: Some("StableLmForTokenClassification"),
    start: || heads::token_labels(start()),
    keys: &[llama::KEYS, OWN, CLASSES],
    tensors: &[llama::SCORE, llama::TENSORS],
    ..STABLELM
};

const OWN: Keys = &[
    ("layer_norm_eps", EPSILON),
    ("head_dim", llama::OWN_HEAD_WIDTH),
    ("partial_rotary_factor", share::<25>()),
    ("rope_theta", THETA),
    ("rope_scaling", SHARED_PARAMETERS),
    ("rope_parameters", SHARED_PARAMETERS),
    ("hidden_act", llama::ACTIVATION),
    ("use_qkv_bias", Key::Flag(|c| &mut c.biases.attention)),
    ("use_parallel_residual", PARALLEL),
    // Norms of each head by itself, with factors of its own.
    ("qk_layernorm", Key::Only("false")),
];

/// Whether both parts of a block read what came in, by one norm.
const PARALLEL: Key = Key::Custom {
    required: false,
    read: |config, value| {
        config.branches = match flag(value)? {
            true => Branches::ParallelOneNorm,
            false => Branches::InTurn,
        };
        Ok(())
    },
    write: |config| json!(config.branches == Branches::ParallelOneNorm),
};

fn start() -> TransformerConfig {
    TransformerConfig {
        input: InputConfig::Tokens { vocabulary: 50304 },
        norm: starcoder2::layer_norm(1e-5),
        ..bert::sizes(llama::start(), [2560, 32, 32, 6912, 4096])
    }
}
