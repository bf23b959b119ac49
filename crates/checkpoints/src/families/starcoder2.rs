//! StarCoder2 (Lozhkov et al. 2024), as a language model: a Llama with LayerNorm, biases, and a feed-forward
//! part without a gate.

use super::{bert, heads, llama, mistral};
use crate::Family;
use crate::family::{Keys, Names};
use crate::keys::{CLASSES, EPSILON, Key, feed_forward, flag, rotary};
use relprop_rules::operations::{Activation, NormScale};
use relprop_transformer::{
    Biases, FeedForwardConfig, Head, InputConfig, NormConfig, TransformerConfig,
};
use serde_json::json;

/// StarCoder2.
pub static STARCODER2: Family = Family {
    name: "starcoder2",
    architecture: Some("Starcoder2ForCausalLM"),
    start,
    keys: &[llama::KEYS, rotary::KEYS, OWN, mistral::WINDOW],
    ignored_keys: &["residual_dropout", "embedding_dropout"],
    tensors: &[FEED_FORWARD, llama::TENSORS],
    ..llama::LLAMA
};

/// StarCoder2 that makes a vector of a text.
pub static VECTOR: Family = Family {
    architecture: Some("Starcoder2Model"),
    start: || heads::vector(start()),
    keys: &[llama::KEYS, rotary::KEYS, OWN, mistral::WINDOW],
    tensors: &[bert::DENSE, FEED_FORWARD, llama::TENSORS],
    ..STARCODER2
};

/// StarCoder2 that classifies a text, read at its last token.
pub static LABELS: Family = Family {
    architecture: Some("Starcoder2ForSequenceClassification"),
    start: || heads::labels_at_end(start()),
    keys: &[llama::KEYS, rotary::KEYS, OWN, mistral::WINDOW, CLASSES],
    tensors: &[llama::SCORE, FEED_FORWARD, llama::TENSORS],
    ..STARCODER2
};

/// StarCoder2 with a label for each token.
pub static TOKEN_LABELS: Family = Family {
    architecture: Some("Starcoder2ForTokenClassification"),
    start: || heads::token_labels(start()),
    keys: &[llama::KEYS, rotary::KEYS, OWN, mistral::WINDOW, CLASSES],
    tensors: &[llama::SCORE, FEED_FORWARD, llama::TENSORS],
    ..STARCODER2
};

const OWN: Keys = &[
    ("norm_epsilon", EPSILON),
    ("head_dim", llama::OWN_HEAD_WIDTH),
    ("hidden_act", llama::ACTIVATION),
    ("use_bias", BIASES),
];

/// Whether the linear maps of the blocks have biases.
pub const BIASES: Key = Key::Custom {
    required: false,
    read: |config, value| {
        config.biases = match flag(value)? {
            true => Biases::default(),
            false => Biases::NONE,
        };
        Ok(())
    },
    write: |config| json!(config.biases == Biases::default()),
};

const FEED_FORWARD: Names = &[
    ("encoder.{}.feed_forward.up", "$.layers.{}.mlp.c_fc"),
    ("encoder.{}.feed_forward.down", "$.layers.{}.mlp.c_proj"),
];

fn start() -> TransformerConfig {
    let mut config = TransformerConfig {
        input: InputConfig::Tokens { vocabulary: 49152 },
        biases: Biases::default(),
        norm: layer_norm(1e-5),
        head: Head::NextToken { tied: true },
        initializer_range: 0.018_042,
        ..bert::sizes(llama::start(), [3072, 30, 24, 12288, 4096])
    };
    config.attention.key_heads = Some(2);
    *feed_forward(&mut config) = FeedForwardConfig {
        width: 12288,
        activation: Activation::GeluTanh,
        gated: false,
        clip: None,
    };
    config
}

/// A LayerNorm with factor and shift.
pub fn layer_norm(epsilon: f64) -> NormConfig {
    NormConfig {
        scale: NormScale::InsideRoot(epsilon),
        affine: true,
        plus_one: false,
        unshifted: false,
    }
}
