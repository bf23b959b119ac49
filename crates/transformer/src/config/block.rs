//! The parts of a block besides attention.

use relprop_rules::operations::{Activation, NormScale};
use serde::{Deserialize, Serialize};

/// Which linear maps have a bias; by default, all of the blocks'.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Biases {
    /// The maps that compute queries, keys and values.
    pub attention: bool,
    /// The map after the heads.
    pub attention_output: bool,
    /// The maps of the feed-forward part.
    pub feed_forward: bool,
    /// The head of a language model, which has none in most.
    #[serde(default)]
    pub next_token: bool,
    /// Whether the map of keys has none where those of queries and values have: DeBERTa v1.
    #[serde(default)]
    pub unbiased_keys: bool,
    /// Whether the maps up of the feed-forward part have none where the map down has: GTE.
    #[serde(default)]
    pub unbiased_up: bool,
}

impl Default for Biases {
    fn default() -> Self {
        Self {
            attention: true,
            attention_output: true,
            feed_forward: true,
            next_token: false,
            unbiased_keys: false,
            unbiased_up: false,
        }
    }
}

impl Biases {
    /// No bias anywhere.
    pub const NONE: Self = Self {
        attention: false,
        attention_output: false,
        feed_forward: false,
        next_token: false,
        unbiased_keys: false,
        unbiased_up: false,
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
    /// The bounds of both maps up, where they are bounded: gpt-oss. Only where it is gated.
    #[serde(default)]
    pub clip: Option<ClippedGate>,
}

/// A gated feed-forward part whose maps up, u and g, are bounded: (u' + 1) g' sigmoid(a g'), with u' between -c and c, and
/// g' at most c. The activation is SiLU.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClippedGate {
    /// The bound c, above 0.
    pub bound: f64,
    /// The slope a of the sigmoid, above 0.
    pub slope: f64,
}

/// A mixture of experts in the place of a feed-forward part: several feed-forward parts, of which a router chooses
/// some for each token, with a weight each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpertsConfig {
    /// How many experts there are.
    pub count: usize,
    /// How many of them each token has.
    pub chosen: usize,
    /// The number of features in the middle of each.
    pub width: usize,
    /// Whether the weights of those that are chosen sum to 1. If not, those of all experts do.
    pub normalized: bool,
    /// The number of features in the middle of one more expert that all tokens have, by a gate of its own:
    /// Qwen2-MoE.
    #[serde(default)]
    pub shared: Option<usize>,
    /// Whether the router has a bias: gpt-oss.
    #[serde(default)]
    pub router_bias: bool,
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
    /// Whether it has no shift though it has a factor: ModernBERT.
    #[serde(default)]
    pub unshifted: bool,
}

/// Where in a block the norms stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NormPlacement {
    /// Before attention and before the feed-forward part, and once more after the last block.
    Before,
    /// After each residual sum, as in BERT.
    After,
    /// After attention and after the feed-forward part, before the residual sums, and once more after the
    /// last block: OLMo 2.
    AfterParts,
    /// Before each part as well as after it, and once more after the last block: Gemma 2.
    Around,
}

impl NormPlacement {
    /// Whether a norm stands between what comes into a block's part and the part.
    pub fn has_before(self) -> bool {
        matches!(self, Self::Before | Self::Around)
    }

    /// Whether a norm stands between a part and its residual sum.
    pub fn has_after_part(self) -> bool {
        matches!(self, Self::AfterParts | Self::Around)
    }

    /// Whether one more norm stands after the last block.
    pub fn has_final(self) -> bool {
        self != Self::After
    }
}

/// What the feed-forward part of a block reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Branches {
    /// What attention left: the sum of attention and what came in.
    #[default]
    InTurn,
    /// What came in, as attention does, by a norm of its own: GPT-NeoX.
    Parallel,
    /// The same, by the norm of attention: GPT-J.
    ParallelOneNorm,
}
