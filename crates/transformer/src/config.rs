//! Which parts a Transformer is made of.

use relprop_rules::operations::{Activation, NormScale};
use serde::{Deserialize, Serialize};

/// The parts and sizes of a [`Transformer`](crate::Transformer) that classifies texts.
///
/// [`TransformerConfig::bert`] and [`TransformerConfig::attention_only`] are the two usual starts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TransformerConfig {
    /// How many tokens the vocabulary has.
    pub vocabulary: usize,
    /// How many tokens a text can have, special ones included; at least 2.
    pub positions: usize,
    /// The row of the position table in which the first token of a text stands. RoBERTa leaves the
    /// first ones to padding; everyone else starts at 0.
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
    /// The number of attention heads; it must divide `width`.
    pub heads: usize,
    /// Whether attention scores are divided by sqrt(width / heads).
    pub scaled_attention: bool,
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
    /// The labels, in the order of the logits.
    pub labels: Vec<String>,
    /// The share of hidden numbers that training drops, in [0, 1).
    pub dropout: f64,
    /// The share of attention weights that training drops, in [0, 1).
    pub attention_dropout: f64,
    /// The standard deviation of freshly drawn weights, above 0.
    pub initializer_range: f64,
}

/// The feed-forward part of a block: a linear map up, an activation, a linear map down.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeedForwardConfig {
    /// The number of features in the middle.
    pub width: usize,
    /// The activation in the middle.
    pub activation: Activation,
}

/// A layer norm.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NormConfig {
    /// Where epsilon stands, and how large it is.
    pub scale: NormScale,
    /// Whether it has a learned factor and shift.
    pub affine: bool,
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

/// Why a configuration makes no model.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("the model's `{field}` is {value}: it must be {range}")]
pub struct ConfigError {
    /// The field.
    pub field: &'static str,
    /// Its value.
    pub value: String,
    /// What it may be.
    pub range: &'static str,
}

/// No size is larger: products of two of them stay far below what a `usize` holds.
const LARGEST: usize = (1 << 31) - 1;

impl TransformerConfig {
    /// A small BERT: 2 blocks of width 128, feed-forward 512, exact GELU, tanh pooler.
    pub fn bert(vocabulary: usize, labels: Vec<String>) -> Self {
        let norm = NormConfig {
            scale: NormScale::InsideRoot(1e-12),
            affine: true,
        };
        Self {
            vocabulary,
            positions: 128,
            first_position: 0,
            token_types: 2,
            padding_token: 0,
            width: 128,
            embedding_width: None,
            blocks: 2,
            heads: 4,
            scaled_attention: true,
            feed_forward: Some(FeedForwardConfig {
                width: 512,
                activation: Activation::Gelu,
            }),
            embedding_norm: Some(norm),
            norm,
            norm_placement: NormPlacement::After,
            pooler: Some(Activation::Tanh),
            labels,
            dropout: 0.1,
            attention_dropout: 0.1,
            initializer_range: 0.02,
        }
    }

    /// The model of Ali et al. 2022 as released, at a small size: attention blocks without a
    /// feed-forward part, scores that are not scaled, norms without factor and shift whose epsilon
    /// stands outside the root.
    pub fn attention_only(vocabulary: usize, labels: Vec<String>) -> Self {
        Self {
            blocks: 3,
            scaled_attention: false,
            feed_forward: None,
            norm: NormConfig {
                scale: NormScale::OutsideRoot(1e-12),
                affine: false,
            },
            ..Self::bert(vocabulary, labels)
        }
    }

    /// The same with every part that [`Transformer::with_frozen_embeddings`] takes over from a model
    /// of the configuration `donor`.
    ///
    /// [`Transformer::with_frozen_embeddings`]: crate::Transformer::with_frozen_embeddings
    pub fn with_embeddings_of(self, donor: &Self) -> Self {
        Self {
            vocabulary: donor.vocabulary,
            positions: donor.positions,
            first_position: donor.first_position,
            token_types: donor.token_types,
            padding_token: donor.padding_token,
            width: donor.width,
            embedding_width: donor.embedding_width,
            embedding_norm: donor.embedding_norm,
            ..self
        }
    }

    /// Checks that the sizes and ranges make a model.
    ///
    /// # Errors
    ///
    /// A [`ConfigError`] that names the first field out of its range.
    pub fn check(&self) -> Result<(), ConfigError> {
        for (field, value) in [
            ("vocabulary", self.vocabulary),
            ("width", self.width),
            ("embedding_width", self.embedding_width.unwrap_or(1)),
            ("heads", self.heads),
            (
                "feed_forward.width",
                self.feed_forward.map_or(1, |part| part.width),
            ),
        ] {
            ensure(
                (1..=LARGEST).contains(&value),
                field,
                value,
                "at least 1, and below 2^31",
            )?;
        }
        // Without a limit, a damaged file could ask for more blocks than fit into memory.
        ensure(self.blocks <= 1000, "blocks", self.blocks, "at most 1000")?;
        for (field, value) in [
            ("token_types", self.token_types),
            ("first_position", self.first_position),
        ] {
            ensure(value <= LARGEST, field, value, "below 2^31")?;
        }
        ensure(
            (2..=LARGEST).contains(&self.positions),
            "positions",
            self.positions,
            "at least 2, and below 2^31",
        )?;
        for norm in self.embedding_norm.iter().chain([&self.norm]) {
            let epsilon = norm.scale.epsilon();
            let fits = epsilon > 0.0 && epsilon.is_finite();
            ensure(fits, "norm epsilon", epsilon, "a finite number above 0")?;
        }
        let padding = self.padding_token;
        let known = (padding as usize) < self.vocabulary;
        ensure(known, "padding_token", padding, "an id of the vocabulary")?;
        let divides = self.width.is_multiple_of(self.heads);
        ensure(divides, "heads", self.heads, "a divisor of the width")?;
        ensure(
            !self.labels.is_empty(),
            "labels",
            self.labels.len(),
            "at least 1 label",
        )?;
        for (field, value) in [
            ("dropout", self.dropout),
            ("attention_dropout", self.attention_dropout),
        ] {
            ensure((0.0..1.0).contains(&value), field, value, "in [0, 1)")?;
        }
        let range = self.initializer_range;
        ensure(
            range > 0.0 && range.is_finite(),
            "initializer_range",
            range,
            "above 0",
        )
    }
}

fn ensure(
    holds: bool,
    field: &'static str,
    value: impl ToString,
    range: &'static str,
) -> Result<(), ConfigError> {
    if holds {
        Ok(())
    } else {
        Err(ConfigError {
            field,
            value: value.to_string(),
            range,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn config() -> TransformerConfig {
        TransformerConfig::bert(100, vec!["no".to_owned(), "yes".to_owned()])
    }

    #[test]
    fn the_usual_starts_make_a_model() {
        assert_eq!(config().check(), Ok(()));
        assert_eq!(
            TransformerConfig::attention_only(100, config().labels).check(),
            Ok(())
        );
    }

    #[rstest]
    #[case("vocabulary", |c: &mut TransformerConfig| c.vocabulary = 0)]
    #[case("positions", |c: &mut TransformerConfig| c.positions = 1)]
    #[case("heads", |c: &mut TransformerConfig| c.heads = 3)]
    #[case("labels", |c: &mut TransformerConfig| c.labels.clear())]
    #[case("blocks", |c: &mut TransformerConfig| c.blocks = usize::MAX)]
    #[case("width", |c: &mut TransformerConfig| c.width = usize::MAX)]
    #[case("embedding_width", |c: &mut TransformerConfig| c.embedding_width = Some(0))]
    #[case("first_position", |c: &mut TransformerConfig| c.first_position = usize::MAX)]
    #[case("padding_token", |c: &mut TransformerConfig| c.padding_token = 100)]
    #[case("dropout", |c: &mut TransformerConfig| c.dropout = 1.0)]
    #[case("initializer_range", |c: &mut TransformerConfig| c.initializer_range = f64::NAN)]
    #[case("norm epsilon", |c: &mut TransformerConfig| {
        c.norm.scale = NormScale::InsideRoot(-1e-5);
    })]
    fn a_field_out_of_its_range_is_named(
        #[case] field: &str,
        #[case] spoil: fn(&mut TransformerConfig),
    ) {
        let mut config = config();
        spoil(&mut config);
        let error = config.check().unwrap_err();
        assert_eq!(error.field, field);
        assert!(error.to_string().contains(error.range));
    }
}
