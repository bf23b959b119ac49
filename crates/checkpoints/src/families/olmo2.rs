//! OLMo 2 (OLMo Team 2024), as a language model: a Llama whose norms stand after its parts, and that
//! normalizes queries and keys of all heads together.

use super::{bert, heads, llama};
use crate::Family;
use crate::family::{Keys, Names};
use crate::keys::{CLASSES, rotary};
use relprop_rules::operations::NormScale;
use relprop_transformer::{InputConfig, NormPlacement, TransformerConfig};

/// OLMo 2.
pub static OLMO2: Family = Family {
    name: "olmo2",
    architecture: Some("Olmo2ForCausalLM"),
    start,
    keys: &[llama::KEYS, llama::NORM, rotary::KEYS, PARTS],
    ignored_keys: &[],
    tensors: &[NORMS, llama::TENSORS],
    ..llama::LLAMA
};

/// OLMo 2 that makes a vector of a text.
pub static VECTOR: Family = Family {
    architecture: Some("Olmo2Model"),
    start: || heads::vector(start()),
    keys: &[llama::KEYS, llama::NORM, rotary::KEYS, PARTS],
    tensors: &[bert::DENSE, NORMS, llama::TENSORS],
    ..OLMO2
};

/// OLMo 2 that classifies a text, read at its last token.
pub static LABELS: Family = Family {
    architecture: Some("Olmo2ForSequenceClassification"),
    start: || heads::labels_at_end(start()),
    keys: &[llama::KEYS, llama::NORM, rotary::KEYS, PARTS, CLASSES],
    tensors: &[llama::SCORE, NORMS, llama::TENSORS],
    ..OLMO2
};

/// What OLMo 2 and 3 say in the same words.
pub const PARTS: Keys = &[
    ("head_dim", llama::OWN_HEAD_WIDTH),
    ("hidden_act", llama::ACTIVATION),
    ("attention_bias", llama::ATTENTION_BIAS),
];

/// The norms after the parts.
#[rustfmt::skip]
pub const NORMS: Names = &[
    ("encoder.{}.attention_norm", "$.layers.{}.post_attention_layernorm"),
    ("encoder.{}.feed_forward_norm", "$.layers.{}.post_feedforward_layernorm"),
];

/// What OLMo 2 and 3 take where a file is silent.
pub fn start() -> TransformerConfig {
    let mut config = bert::sizes(llama::start(), [4096, 32, 32, 11008, 2048]);
    config.input = InputConfig::Tokens { vocabulary: 50304 };
    config.norm.scale = NormScale::RootMeanSquare(1e-5);
    config.norm_placement = NormPlacement::AfterParts;
    config.padding_token = 1;
    config.attention.query_key_norm = true;
    config.attention.whole_query_key_norm = true;
    config
}
