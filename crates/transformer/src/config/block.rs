//! The parts of a block besides attention.

use relprop_rules::operations::{Activation, NormScale};
use serde::{Deserialize, Serialize};

/// Which linear maps of the blocks have a bias; all of them by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Biases {
    /// The maps that compute queries, keys and values.
    pub attention: bool,
    /// The map after the heads.
    pub attention_output: bool,
    /// The maps of the feed-forward part.
    pub feed_forward: bool,
}

impl Default for Biases {
    fn default() -> Self {
        Self {
            attention: true,
            attention_output: true,
            feed_forward: true,
        }
    }
}

impl Biases {
    /// No bias anywhere.
    pub const NONE: Self = Self {
        attention: false,
        attention_output: false,
        feed_forward: false,
    };
}

/// The feed-forward part of a block: a linear map up, an activation, a linear map down.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeedForwardConfig {
    /// The number of features in the middle.
    pub width: usize,
    /// The activation in the middle.
    pub activation: Activation,
    /// Whether the activation is applied to a second linear map up, and the first map is multiplied
    /// by the result: Llama.
    #[serde(default)]
    pub gated: bool,
}

/// A LayerNorm or an RMSNorm.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NormConfig {
    /// Where epsilon stands, and how large it is.
    pub scale: NormScale,
    /// Whether it has a learned factor and, unless it is an RMSNorm, a learned shift.
    pub affine: bool,
    /// Whether the factor is 1 plus the learned parameter: Gemma.
    #[serde(default)]
    pub plus_one: bool,
}

/// Where in a block the norms stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NormPlacement {
    /// Before attention and before the feed-forward part, and once more after the last block.
    Before,
    /// After each residual sum, as in BERT.
    After,
}
