//! Which parts a Transformer is made of.

mod attention;
mod block;
mod check;
mod input;
mod presets;

use relprop_rules::operations::Activation;
use serde::{Deserialize, Serialize};

use crate::{Head, Outputs, Targets};

pub use attention::{AttentionConfig, RotaryConfig, RotaryScaling};
pub use block::{Biases, FeedForwardConfig, NormConfig, NormPlacement};
pub use check::ConfigError;
pub use input::{Distillation, InputConfig, PATCH_HIDDEN, PATCH_VISIBLE, PatchConfig};

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
    /// embeddings unless attention is [rotary](AttentionConfig::rotary).
    pub positions: usize,
    /// The row of the position table in which the first token of a text stands. RoBERTa leaves the
    /// first ones to padding, and a padding token within a text stands in the last of them; everyone
    /// else starts at 0.
    #[serde(default)]
    pub first_position: usize,
    /// How many kinds of segments there are; 0 for a model without them.
    pub token_types: usize,
    /// The id of the padding token.
    pub padding_token: u32,
    /// The number of features of a hidden state.
    pub width: usize,
    /// The number of features of an embedding, if it is another one. Embeddings are then projected.
    #[serde(default)]
    pub embedding_width: Option<usize>,
    /// The number of blocks, at most 1000.
    pub blocks: usize,
    /// Whether word embeddings are multiplied by sqrt(width): Gemma.
    #[serde(default)]
    pub scaled_embeddings: bool,
    /// The number of attention heads; it must divide `width`, unless heads have a
    /// [width of their own](AttentionConfig::head_width).
    pub heads: usize,
    /// Whether attention scores are divided by the square root of the width of a head.
    pub scaled_attention: bool,
    /// How attention differs from that of BERT.
    #[serde(default)]
    pub attention: AttentionConfig,
    /// Which linear maps of the blocks have a bias.
    #[serde(default)]
    pub biases: Biases,
    /// The feed-forward part of each block, if it has one.
    pub feed_forward: Option<FeedForwardConfig>,
    /// The norm after the embedding sum, if there is one.
    pub embedding_norm: Option<NormConfig>,
    /// The norms of the blocks.
    pub norm: NormConfig,
    /// Where in a block the norms stand.
    pub norm_placement: NormPlacement,
    /// The activation of the pooler over the first token, a linear map and this activation; none
    /// for a model without a pooler.
    pub pooler: Option<Activation>,
    /// What the last hidden states are asked.
    #[serde(default)]
    pub head: Head,
    /// The labels, in the order of the logits; none for a language model.
    pub labels: Vec<String>,
    /// The share of hidden numbers that training drops, in [0, 1).
    pub dropout: f64,
    /// The share of attention weights that training drops, in [0, 1).
    pub attention_dropout: f64,
    /// The standard deviation of freshly drawn weights, above 0.
    pub initializer_range: f64,
}

impl TransformerConfig {
    /// How many tokens the vocabulary has. That of a model for pictures has two: a patch that is
    /// visible, and one that is hidden.
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

    /// How many logits it gives.
    pub fn logits(&self) -> usize {
        match self.head.outputs() {
            Outputs::Labels => self.labels.len(),
            Outputs::Vocabulary => self.vocabulary(),
        }
    }

    /// What may be asked of it.
    pub fn targets(&self) -> Targets<'_> {
        match self.head {
            Head::Labels => Targets::Labels(&self.labels),
            Head::NextToken { .. } => Targets::Vocabulary,
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

    /// The same with every part that [`Transformer::with_frozen_embeddings`] takes over from a model
    /// of the configuration `donor`.
    ///
    /// [`Transformer::with_frozen_embeddings`]: crate::Transformer::with_frozen_embeddings
    pub fn with_embeddings_of(self, donor: &Self) -> Self {
        Self {
            input: donor.input,
            positions: donor.positions,
            first_position: donor.first_position,
            token_types: donor.token_types,
            padding_token: donor.padding_token,
            width: donor.width,
            embedding_width: donor.embedding_width,
            embedding_norm: donor.embedding_norm,
            scaled_embeddings: donor.scaled_embeddings,
            ..self
        }
    }
}
