//! How attention is computed, and where its positions come from.

use serde::{Deserialize, Serialize};

/// How attention differs from that of BERT, which is the default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AttentionConfig {
    /// The number of heads of keys and values, if it is less than the number of heads of queries,
    /// which it must divide. Each of them then serves a group of queries' heads.
    pub key_heads: Option<usize>,
    /// The number of features of a head, if it is not `width` / `heads`.
    pub head_width: Option<usize>,
    /// Whether a token attends only to itself and the tokens before it.
    pub causal: bool,
    /// The number of tokens that a token attends to, itself and the last ones before it, if causal
    /// attention is limited to a window; at least 1.
    pub window: Option<usize>,
    /// Positions as rotations of queries and keys, instead of a table of embeddings.
    pub rotary: Option<RotaryConfig>,
    /// Whether the queries and keys of each head are normalized, by the blocks' kind of norm: Qwen3.
    pub query_key_norm: bool,
}

/// Positions as rotations: at position p, the pair k of a head of d features is rotated by the
/// angle p * theta^(-2k / d).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RotaryConfig {
    /// The base of the frequencies, above 0: 10000 in most models.
    pub theta: f64,
    /// How the frequencies are scaled for longer texts, if they are.
    #[serde(default)]
    pub scaling: Option<RotaryScaling>,
}

/// The scaling of Llama 3.1. The frequency of a wave longer than `original_positions` /
/// `low_frequency` is divided by `factor`. A wave shorter than `original_positions` /
/// `high_frequency` is kept. Between the two lengths the scaling goes smoothly from one to the
/// other.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RotaryScaling {
    /// The number by which the frequencies of long waves are divided, above 0.
    pub factor: f64,
    /// A wave with at most this many turns in a text of `original_positions` is scaled by the whole
    /// factor.
    pub low_frequency: f64,
    /// A wave with at least this many turns in such a text is kept; above `low_frequency`.
    pub high_frequency: f64,
    /// How many tokens a text could have before the scaling, at least 1.
    pub original_positions: usize,
}
