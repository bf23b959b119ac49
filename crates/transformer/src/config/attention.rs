//! How attention is computed, and where its positions come from.

use serde::{Deserialize, Serialize};

/// How attention differs from that of BERT, which is the default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AttentionConfig {
    /// The number of heads of keys and values, if it is less than that of queries, which it must
    /// divide: each then serves a group of queries' heads.
    pub key_heads: Option<usize>,
    /// The number of features of a head, if it is not `width` / `heads`.
    pub head_width: Option<usize>,
    /// Whether a token looks at itself and those before it only.
    pub causal: bool,
    /// How many tokens a token looks at, itself and the last ones before it, if attention is causal
    /// and this is limited; at least 1.
    pub window: Option<usize>,
    /// Positions as rotations of queries and keys, in the place of a table of embeddings.
    pub rotary: Option<RotaryConfig>,
    /// Whether the queries and keys of each head are normalized, by the blocks' kind of norm: Qwen3.
    pub query_key_norm: bool,
}

/// Positions as rotations: at position p, the pair k of a head of d features is turned by the angle
/// p * theta^(-2k / d).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RotaryConfig {
    /// The base of the frequencies, above 0: 10000 in most models.
    pub theta: f64,
    /// How the frequencies are stretched for longer texts, if they are.
    #[serde(default)]
    pub scaling: Option<RotaryScaling>,
}

/// The stretching of Llama 3.1: a wave longer than `original_positions` / `low_frequency` is slowed
/// down by `factor`, one shorter than `original_positions` / `high_frequency` is kept, and between
/// them it goes smoothly from one to the other.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RotaryScaling {
    /// How much the long waves are slowed down, above 0.
    pub factor: f64,
    /// How often a wave that is slowed down fully turns in a text of `original_positions` at most.
    pub low_frequency: f64,
    /// How often a wave that is kept turns in such a text at least; above `low_frequency`.
    pub high_frequency: f64,
    /// How many tokens a text could have before, at least 1.
    pub original_positions: usize,
}
