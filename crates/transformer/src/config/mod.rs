//! Which parts a Transformer is made of.

mod attention;
mod block;
mod check;
mod check_attention;
mod decoder;
mod input;
mod presets;
mod rotary;
mod stages;

use relprop_rules::operations::Activation;
use serde::{Deserialize, Serialize};

use crate::{Head, Outputs, Probabilities, Targets};

pub use attention::{AttentionConfig, BlockAttention, Disentangled, PositionBias};
pub use block::{
    Biases, Branches, ClippedGate, ExpertsConfig, FeedForwardConfig, NormConfig, NormPlacement,
};
pub use check::ConfigError;
pub use decoder::{DecoderConfig, Sinusoids};
pub use input::{Distillation, InputConfig, PATCH_HIDDEN, PATCH_VISIBLE, PatchConfig, Placed};
pub use rotary::{RotaryConfig, RotaryFactors, RotaryScaling};
pub(crate) use stages::Stage;
pub use stages::Stages;

/// The parts and sizes of a [`Transformer`](crate::Transformer) that classifies texts or pictures, or
/// continues texts.
///
/// [`TransformerConfig::bert`], [`TransformerConfig::attention_only`] and
/// [`TransformerConfig::vit`] are the usual starts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TransformerConfig {
    /// What it reads.
    pub input: InputConfig,
    /// How many tokens a text can have, special ones included; at least 2. They have a table of
    /// embeddings unless attention is [rotary](AttentionConfig::rotary), or has positions as a
    /// [bias](AttentionConfig::bias).
    pub positions: usize,
    /// The row of the position table for the first token of a text. RoBERTa uses the rows before it
    /// for padding, and a padding token within a text stands in the last of them; all other families start
    /// at 0.
    #[serde(default)]
    pub first_position: usize,
    /// Whether a padding token within a text has a place of its own, like any other token: BART.
    #[serde(default)]
    pub counted_padding: bool,
    /// Whether every text is filled with padding tokens up to the most that it can have, which are read like any other:
    /// SigLIP.
    #[serde(default)]
    pub filled: bool,
    /// Positions as sines and cosines, in the place of a table that was learned.
    #[serde(default)]
    pub sinusoids: Option<Sinusoids>,
    /// How many kinds of segments there are; 0 for a model without them.
    pub token_types: usize,
    /// How many tasks have an embedding, of which every token gets that of the first; 0 for a model without
    /// them: ERNIE.
    #[serde(default)]
    pub tasks: usize,
    /// The id of the padding token.
    pub padding_token: u32,
    /// The number of features of a hidden state.
    pub width: usize,
    /// The number of features of an embedding, if it is not `width`. Embeddings are then projected.
    #[serde(default)]
    pub embedding_width: Option<usize>,
    /// Whether word embeddings are projected by themselves, before others are added, and hidden states back to
    /// their width before the head, by maps without a bias: OPT-350m.
    #[serde(default)]
    pub projected_words: bool,
    /// The number of blocks, at most 1000.
    pub blocks: usize,
    /// The stages that blocks stand in, if they do: Swin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stages: Option<Stages>,
    /// Whether they are one block that is run so often: ALBERT.
    #[serde(default)]
    pub shared_blocks: bool,
    /// Whether word embeddings are multiplied by sqrt(width): Gemma.
    #[serde(default)]
    pub scaled_embeddings: bool,
    /// What word embeddings are multiplied by, if it is another number: Granite.
    #[serde(default)]
    pub embedding_factor: Option<f64>,
    /// The token whose embedding is nothing, if there is one. The embeddings of a text of n tokens, m of them
    /// this one, are multiplied by 0.88 / (1 - m / n): ESM, which was trained with 12% of such masks.
    #[serde(default)]
    pub dropped_token: Option<u32>,
    /// What each part of a block is multiplied by before its residual sum, if it is: Granite.
    #[serde(default)]
    pub branch_factor: Option<f64>,
    /// Whether each feature of a part is multiplied by a learned number of its own before the residual sum (LayerScale,
    /// Touvron et al. 2021): DINOv2, BEiT.
    #[serde(default)]
    pub layer_scale: bool,
    /// What logits are divided by, if they are: Granite.
    #[serde(default)]
    pub logit_divisor: Option<f64>,
    /// The size c that logits do not exceed, if there is one: they are c tanh(logit / c), Gemma 2.
    #[serde(default)]
    pub logit_cap: Option<f64>,
    /// The number of attention heads; it must divide `width`, unless heads have a
    /// [width of their own](AttentionConfig::head_width).
    pub heads: usize,
    /// Whether attention scores are divided by the square root of the width of a head.
    pub scaled_attention: bool,
    /// Whether attention of the first block reads what comes in without a norm, where a norm stands before the
    /// parts of all others: ModernBERT.
    #[serde(default)]
    pub bare_first_block: bool,
    /// How attention differs from that of BERT.
    #[serde(default)]
    pub attention: AttentionConfig,
    /// What each block has in the place of the window and the rotation of all; none where blocks are
    /// alike.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attention_by_block: Vec<BlockAttention>,
    /// What [LongRoPE](RotaryScaling::Long) divides frequencies by; none in any other model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotary_factors: Option<RotaryFactors>,
    /// Which linear maps of the blocks have a bias.
    #[serde(default)]
    pub biases: Biases,
    /// The second stack, of a model that reads one text and writes another.
    #[serde(default)]
    pub decoder: Option<DecoderConfig>,
    /// The feed-forward part of each block, if it has one.
    pub feed_forward: Option<FeedForwardConfig>,
    /// The experts in the place of the feed-forward part, if there are any. They have its activation and gate.
    #[serde(default)]
    pub experts: Option<ExpertsConfig>,
    /// The blocks that have a feed-forward part where others have experts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dense_blocks: Vec<usize>,
    /// The norm after the embedding sum, if there is one.
    pub embedding_norm: Option<NormConfig>,
    /// The norms of the blocks.
    pub norm: NormConfig,
    /// Where in a block the norms stand.
    pub norm_placement: NormPlacement,
    /// Whether the norm after the last block stands after the pooling instead: BEiT.
    #[serde(default)]
    pub norm_after_pooling: bool,
    /// Whether attention and the feed-forward part stand one after the other, or side by side.
    #[serde(default)]
    pub branches: Branches,
    /// The activation of the pooler over the first token, a linear map and this activation; none
    /// for a model without a pooler.
    pub pooler: Option<Activation>,
    /// Whether the pooler is applied to every token, and its results are pooled: EuroBERT.
    #[serde(default)]
    pub pooler_first: bool,
    /// Whether a norm stands after the pooler's activation: ModernBERT.
    #[serde(default)]
    pub pooler_norm: bool,
    /// Whether the pooler's linear map, or that of the head of a masked token, has no bias: ModernBERT.
    #[serde(default)]
    pub unbiased_head: bool,
    /// What the logits are for, and which hidden state they come from.
    #[serde(default)]
    pub head: Head,
    /// The labels, in the order of the logits; none for a head that has none.
    pub labels: Vec<String>,
    /// How the labels' probabilities follow from the logits.
    #[serde(default)]
    pub probabilities: Probabilities,
    /// The share of hidden numbers that training drops, in [0, 1).
    pub dropout: f64,
    /// The share of attention weights that training drops, in [0, 1).
    pub attention_dropout: f64,
    /// The standard deviation of freshly drawn weights, above 0.
    pub initializer_range: f64,
}

impl TransformerConfig {
    /// How many tokens the vocabulary has. The vocabulary of a model for pictures has two tokens: a
    /// visible patch, and a hidden patch.
    pub fn vocabulary(&self) -> usize {
        match self.input {
            InputConfig::Tokens { vocabulary } => vocabulary,
            InputConfig::Patches(_) => 2,
        }
    }

    /// How pictures are cut into patches, if it reads pictures.
    pub fn patches(&self) -> Option<&PatchConfig> {
        match &self.input {
            InputConfig::Tokens { .. } => None,
            InputConfig::Patches(patches) => Some(patches),
        }
    }

    /// How many numbers it gives at each token that answers: logits, or the features of a vector.
    pub fn logits(&self) -> usize {
        match self.head.outputs() {
            Outputs::Labels | Outputs::TokenLabels => self.labels.len(),
            Outputs::StartAndEnd => 2,
            Outputs::Vocabulary => self.vocabulary(),
            Outputs::Vector => match self.head {
                Head::Vector { dense, second, .. } => {
                    let width = || self.output_width();
                    second.or(dense).map_or_else(width, |dense| dense.width)
                }
                _ => self.output_width(),
            },
        }
    }

    /// What may be asked of it.
    pub fn targets(&self) -> Targets<'_> {
        match self.head.outputs() {
            Outputs::Labels | Outputs::TokenLabels => Targets::Labels(&self.labels),
            Outputs::Vocabulary => Targets::Vocabulary,
            Outputs::StartAndEnd | Outputs::Vector => Targets::Nothing,
        }
    }

    /// How probabilities follow from the numbers at one token that answers.
    pub fn probabilities(&self) -> Probabilities {
        match self.head.outputs() {
            Outputs::Labels | Outputs::TokenLabels => self.probabilities,
            Outputs::StartAndEnd | Outputs::Vocabulary => Probabilities::Softmax,
            Outputs::Vector => Probabilities::None,
        }
    }

    /// The number of features of an attention head.
    pub fn head_width(&self) -> usize {
        self.attention.head_width.unwrap_or(self.width / self.heads)
    }

    /// The number of heads of keys and values.
    pub fn key_heads(&self) -> usize {
        self.attention.key_heads.unwrap_or(self.heads)
    }

    /// The window and the rotation of attention in block `index`.
    pub fn block_attention(&self, index: usize) -> BlockAttention {
        let AttentionConfig { window, rotary, .. } = self.attention;
        let own = self.attention_by_block.get(index).copied();
        own.unwrap_or(BlockAttention { window, rotary })
    }

    /// Whether positions have a table of embeddings.
    pub fn has_position_table(&self) -> bool {
        let linear = matches!(
            self.attention.bias,
            Some(
                PositionBias::Linear
                    | PositionBias::LinearRounded
                    | PositionBias::Learned { alone: true, .. }
            )
        );
        let elsewhere = self.attention.rotary.is_some() || self.attention.disentangled.is_some();
        !linear && !elsewhere && self.sinusoids.is_none()
    }

    /// The number of features that the head reads of each token.
    pub(crate) fn output_width(&self) -> usize {
        match (self.projected_words, self.embedding_width) {
            (true, Some(width)) => width,
            _ => self.last_width(),
        }
    }

    /// Whether a norm stands right after the word embeddings, with nothing added to them before.
    pub fn has_normed_words(&self) -> bool {
        let positions = self.has_position_table() || self.sinusoids.is_some();
        let alone = !positions && self.token_types == 0 && self.tasks == 0;
        self.embedding_norm.is_some() && alone && self.patches().is_none()
    }

    /// What word embeddings are multiplied by, if they are.
    pub fn word_factor(&self) -> Option<f64> {
        let width = self.embedding_width.unwrap_or(self.width);
        let scaled = (self.scaled_embeddings).then(|| (width as f64).sqrt());
        self.embedding_factor.or(scaled)
    }

    /// The same with every part that [`Transformer::with_frozen_embeddings`] takes over from a model
    /// of the configuration `donor`.
    ///
    /// [`Transformer::with_frozen_embeddings`]: crate::Transformer::with_frozen_embeddings
    pub fn with_embeddings_of(self, donor: &Self) -> Self {
        Self {
            input: donor.input,
            positions: donor.positions,
            first_position: donor.first_position,
            counted_padding: donor.counted_padding,
            filled: donor.filled,
            sinusoids: donor.sinusoids,
            token_types: donor.token_types,
            tasks: donor.tasks,
            padding_token: donor.padding_token,
            width: donor.width,
            embedding_width: donor.embedding_width,
            projected_words: donor.projected_words,
            embedding_norm: donor.embedding_norm,
            scaled_embeddings: donor.scaled_embeddings,
            embedding_factor: donor.embedding_factor,
            dropped_token: donor.dropped_token,
            ..self
        }
    }
}
