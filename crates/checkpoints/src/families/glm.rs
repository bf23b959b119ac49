//! GLM-4 (GLM Team 2024), as a language model: a Llama with biases of queries, keys and values that turns half of a head's
//! features, neighbors together. GLM-4-0414, the type `glm4`, has norms after the parts as well.

use super::{bert, heads, llama, phi3};
use crate::Family;
use crate::family::{Keys, Names};
use crate::keys::rotary::{SHARED_PARAMETERS, THETA, share};
use crate::keys::{CLASSES, Key};
use relprop_rules::operations::{NormScale, Pairs};
use relprop_transformer::{InputConfig, NormPlacement, RotaryConfig, TransformerConfig};

/// GLM.
pub static GLM: Family = Family {
    name: "glm",
    architecture: Some("GlmForCausalLM"),
    start,
    keys: &[llama::KEYS, llama::NORM, OWN],
    ignored_keys: &[],
    tensors: &[phi3::GATED, llama::TENSORS],
    ..llama::LLAMA
};

/// GLM that makes a vector of a text.
pub static VECTOR: Family = Family {
    architecture: Some("GlmModel"),
    start: || heads::vector(start()),
    tensors: &[bert::DENSE, phi3::GATED, llama::TENSORS],
    ..GLM
};

/// GLM that classifies a text, read at its last token.
pub static LABELS: Family = Family {
    architecture: Some("GlmForSequenceClassification"),
    start: || heads::labels_at_end(start()),
    keys: &[llama::KEYS, llama::NORM, OWN, CLASSES],
    tensors: &[llama::SCORE, phi3::GATED, llama::TENSORS],
    ..GLM
};

/// GLM with a label for each token.
pub static TOKEN_LABELS: Family = Family {
    architecture: Some("GlmForTokenClassification"),
    start: || heads::token_labels(start()),
    keys: &[llama::KEYS, llama::NORM, OWN, CLASSES],
    tensors: &[llama::SCORE, phi3::GATED, llama::TENSORS],
    ..GLM
};

/// GLM-4-0414.
pub static GLM4: Family = Family {
    name: "glm4",
    architecture: Some("Glm4ForCausalLM"),
    start: start_around,
    keys: &[llama::KEYS, llama::NORM, OWN],
    ignored_keys: &[],
    tensors: &[NORMS, phi3::GATED, llama::TENSORS],
    ..llama::LLAMA
};

/// GLM-4-0414 that makes a vector of a text.
pub static GLM4_VECTOR: Family = Family {
    architecture: Some("Glm4Model"),
    start: || heads::vector(start_around()),
    tensors: &[bert::DENSE, NORMS, phi3::GATED, llama::TENSORS],
    ..GLM4
};

/// GLM-4-0414 that classifies a text, read at its last token.
pub static GLM4_LABELS: Family = Family {
    architecture: Some("Glm4ForSequenceClassification"),
    start: || heads::labels_at_end(start_around()),
    keys: &[llama::KEYS, llama::NORM, OWN, CLASSES],
    tensors: &[llama::SCORE, NORMS, phi3::GATED, llama::TENSORS],
    ..GLM4
};

/// GLM-4-0414 with a label for each token.
pub static GLM4_TOKEN_LABELS: Family = Family {
    architecture: Some("Glm4ForTokenClassification"),
    start: || heads::token_labels(start_around()),
    keys: &[llama::KEYS, llama::NORM, OWN, CLASSES],
    tensors: &[llama::SCORE, NORMS, phi3::GATED, llama::TENSORS],
    ..GLM4
};

const OWN: Keys = &[
    // Which part of a head is turned depends on its width.
    ("head_dim", llama::head_width_or::<128>()),
    ("partial_rotary_factor", share::<50>()),
    ("rope_theta", THETA),
    ("rope_scaling", SHARED_PARAMETERS),
    ("rope_parameters", SHARED_PARAMETERS),
    ("hidden_act", llama::ACTIVATION),
    ("attention_bias", Key::Flag(|c| &mut c.biases.attention)),
];

#[rustfmt::skip]
const NORMS: Names = &[
    ("encoder.{}.attention_output_norm", "$.layers.{}.post_self_attn_layernorm"),
    ("encoder.{}.feed_forward_output_norm", "$.layers.{}.post_mlp_layernorm"),
];

fn start() -> TransformerConfig {
    let mut config = bert::sizes(llama::start(), [4096, 40, 32, 13696, 131_072]);
    config.input = InputConfig::Tokens {
        vocabulary: 151_552,
    };
    config.norm.scale = NormScale::RootMeanSquare(1.5625e-7);
    config.attention.key_heads = Some(2);
    config.biases.attention = true;
    config.attention.rotary = Some(RotaryConfig {
        pairs: Pairs::Neighbours,
        ..RotaryConfig::new(10_000.0)
    });
    // Its default is no token of smaller vocabularies.
    config.padding_token = 0;
    config
}

fn start_around() -> TransformerConfig {
    TransformerConfig {
        norm_placement: NormPlacement::Around,
        ..start()
    }
}
