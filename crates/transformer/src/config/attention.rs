//! How attention is computed, and where its positions come from.

use serde::{Deserialize, Serialize};

use super::RotaryConfig;

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
    /// The number of tokens that a token attends to, itself and the last ones before it, if attention is
    /// limited to a window; at least 1. Unless attention is causal, it attends to as many after it.
    pub window: Option<usize>,
    /// Positions as rotations of queries and keys, instead of a table of embeddings.
    pub rotary: Option<RotaryConfig>,
    /// Whether the queries and keys of each head are normalized, by the blocks' kind of norm: Qwen3.
    pub query_key_norm: bool,
    /// Whether all heads are normalized together, as one vector: OLMo 2. Only where queries and keys are
    /// normalized at all.
    pub whole_query_key_norm: bool,
    /// What scores are multiplied by, if it is another number than
    /// [`scaled_attention`](crate::TransformerConfig::scaled_attention) says: Granite, Gemma 2.
    pub score_factor: Option<f64>,
    /// The size c that scores do not exceed, if there is one: they are c tanh(score / c), Gemma 2.
    pub score_cap: Option<f64>,
    /// Whether each head has a sink: a learned score beside those of all keys, whose weight goes nowhere (gpt-oss).
    pub sinks: bool,
    /// What distances add to scores, if they do.
    pub bias: Option<PositionBias>,
    /// Scores of contents against distances, besides those of contents against contents: DeBERTa. Positions
    /// have no table of embeddings then.
    pub disentangled: Option<Disentangled>,
}

/// Disentangled attention (He et al. 2021): the score of two tokens is a sum of three products, of query and
/// key, of query and distance, and of distance and key. Distances have vectors, which all blocks share; each
/// block's own maps make queries and keys of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disentangled {
    /// How many buckets of distances each direction has, at least 2.
    pub buckets: usize,
    /// The distance from which on all are in the last bucket, where the farther half of buckets grows; each
    /// distance has a bucket of its own where there is none.
    pub farthest: Option<usize>,
    /// Whether the vectors of distances are normalized, by the blocks' kind of norm.
    pub norm: bool,
    /// Whether keys and queries of distances have maps of their own, instead of those of contents: version 1. That
    /// of keys has no bias.
    #[serde(default)]
    pub own_maps: bool,
}

/// A number for each head and each distance of two tokens that is added to their score.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PositionBias {
    /// Minus the distance, times a number of the head's own (ALiBi, Press et al. 2022): BLOOM. Of n heads,
    /// n a power of 2, head h has 2^(-8 (h + 1) / n).
    Linear,
    /// The same from the first token to the key, in numbers of bfloat16, divided by the root of a head's width:
    /// Falcon.
    LinearRounded,
    /// A number learned for each bucket of distances, in each direction (Raffel et al. 2020): MPNet. Half of
    /// the buckets of a direction are one distance each, the others grow to `farthest`, and all blocks share
    /// them unless each has its own. Positions have their table of embeddings besides.
    Learned {
        /// How many buckets both directions have together: a multiple of 4.
        buckets: usize,
        /// The distance from which on all are in the last bucket.
        farthest: usize,
        /// Whether there is no table of positions beside it: T5.
        #[serde(default)]
        alone: bool,
        /// Whether each block has its own: UMT5.
        #[serde(default)]
        by_block: bool,
    },
    /// A number learned for each distance of two patches, in rows and in columns, by each block: BEiT. Where there
    /// is a class token, it has three more: to a patch, from a patch, and to itself.
    Grid,
}

/// What attention of one block has of its own.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlockAttention {
    /// In the place of [`AttentionConfig::window`].
    pub window: Option<usize>,
    /// In the place of [`AttentionConfig::rotary`].
    pub rotary: Option<RotaryConfig>,
}
