//! Which parts a Transformer is made of.

use relprop_rules::operations::{Activation, NormScale};
use serde::{Deserialize, Serialize};

/// The parts and sizes of a [`Transformer`](crate::Transformer) that classifies texts or pictures, or
/// continues texts.
///
/// [`TransformerConfig::bert`], [`TransformerConfig::attention_only`] and
/// [`TransformerConfig::vit`] are the usual starts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TransformerConfig {
    /// How many tokens the vocabulary has. That of a model for pictures has two: a patch that is
    /// shown, and one that is hidden.
    pub vocabulary: usize,
    /// For a model that reads pictures: how they are cut into patches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patches: Option<PatchConfig>,
    /// How many tokens a text can have, special ones included; at least 2. They have a table of
    /// embeddings unless attention is [rotary](AttentionConfig::rotary).
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
    /// Whether the queries and keys of each head are normalised, by the blocks' kind of norm: Qwen3.
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

/// Which linear maps of the blocks have a bias; all of them by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Biases {
    /// Those that make queries, keys and values.
    pub attention: bool,
    /// The one after the heads.
    pub attention_output: bool,
    /// Those of the feed-forward part.
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

/// What the last hidden states are asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Head {
    /// Which label a text has, of its first token.
    #[default]
    Labels,
    /// Which token comes next, of any token: a language model.
    NextToken {
        /// Whether the logits come of the table of word embeddings, and not of one of their own.
        tied: bool,
    },
}

/// How a picture is cut into patches, each of which is a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PatchConfig {
    /// The height and the width of a picture, in pixels.
    pub picture: [usize; 2],
    /// The height and the width of a patch, in pixels. Pixels that fill no patch at the lower and
    /// the right edge are not read.
    pub patch: [usize; 2],
    /// How many numbers a pixel is: 1 for grey, 3 for red, green and blue.
    pub channels: usize,
    /// What there is of DeiT's distillation token.
    pub distillation: Distillation,
}

/// The token that DeiT has besides the class token, and learns from a teacher (Touvron et al. 2021).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Distillation {
    /// There is none, as in ViT.
    Absent,
    /// It is there, but only the class token is classified.
    Unread,
    /// Each of the two tokens has its classifier; the logits are the mean of both.
    Averaged,
}

impl PatchConfig {
    /// How many rows and columns of patches there are.
    pub fn grid(&self) -> [usize; 2] {
        [0, 1].map(|axis| {
            self.picture[axis]
                .checked_div(self.patch[axis])
                .unwrap_or(0)
        })
    }

    /// How many tokens stand before the patches.
    pub fn special(&self) -> usize {
        match self.distillation {
            Distillation::Absent => 1,
            Distillation::Unread | Distillation::Averaged => 2,
        }
    }

    /// How many tokens a picture is.
    pub fn positions(&self) -> usize {
        let [rows, columns] = self.grid();
        rows.saturating_mul(columns).saturating_add(self.special())
    }

    /// How many numbers a patch is.
    pub fn numbers(&self) -> usize {
        let [height, width] = self.patch;
        self.channels.saturating_mul(height).saturating_mul(width)
    }
}

/// The feed-forward part of a block: a linear map up, an activation, a linear map down.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeedForwardConfig {
    /// The number of features in the middle.
    pub width: usize,
    /// The activation in the middle.
    pub activation: Activation,
    /// Whether it goes over a second linear map up, and the first is multiplied by the result:
    /// Llama.
    #[serde(default)]
    pub gated: bool,
}

/// A layer norm.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NormConfig {
    /// Where epsilon stands, and how large it is.
    pub scale: NormScale,
    /// Whether it has a learned factor, and a shift unless it is an RMSNorm.
    pub affine: bool,
    /// Whether the factor is 1 plus what was learned: Gemma.
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

/// The token of a patch that is shown, in a model for pictures.
pub const SHOWN: u32 = 0;
/// The token of a patch that is hidden: all its numbers are zero, the mean of the pictures that the
/// model was trained on.
pub const HIDDEN: u32 = 1;

/// No size is larger: products of two of them stay far below what a `usize` holds.
const LARGEST: usize = (1 << 31) - 1;

impl TransformerConfig {
    /// A small BERT: 2 blocks of width 128, feed-forward 512, exact GELU, tanh pooler.
    pub fn bert(vocabulary: usize, labels: Vec<String>) -> Self {
        let norm = NormConfig {
            scale: NormScale::InsideRoot(1e-12),
            affine: true,
            plus_one: false,
        };
        Self {
            vocabulary,
            patches: None,
            positions: 128,
            first_position: 0,
            token_types: 2,
            padding_token: 0,
            width: 128,
            embedding_width: None,
            blocks: 2,
            scaled_embeddings: false,
            heads: 4,
            scaled_attention: true,
            attention: AttentionConfig::default(),
            biases: Biases::default(),
            feed_forward: Some(FeedForwardConfig {
                width: 512,
                activation: Activation::Gelu,
                gated: false,
            }),
            embedding_norm: Some(norm),
            norm,
            norm_placement: NormPlacement::After,
            pooler: Some(Activation::Tanh),
            head: Head::Labels,
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
                plus_one: false,
            },
            ..Self::bert(vocabulary, labels)
        }
    }

    /// A small Llama: 2 blocks of width 128 with rotary positions, RMSNorm and a gated feed-forward
    /// part, and a head that shares the word embeddings.
    pub fn llama(vocabulary: usize) -> Self {
        Self {
            token_types: 0,
            attention: AttentionConfig {
                causal: true,
                rotary: Some(RotaryConfig {
                    theta: 10_000.0,
                    scaling: None,
                }),
                ..AttentionConfig::default()
            },
            biases: Biases::NONE,
            feed_forward: Some(FeedForwardConfig {
                width: 384,
                activation: Activation::Silu,
                gated: true,
            }),
            embedding_norm: None,
            norm: NormConfig {
                scale: NormScale::RootMeanSquare(1e-6),
                affine: true,
                plus_one: false,
            },
            norm_placement: NormPlacement::Before,
            pooler: None,
            head: Head::NextToken { tied: true },
            dropout: 0.0,
            attention_dropout: 0.0,
            ..Self::bert(vocabulary, Vec::new())
        }
    }

    /// Whether it continues texts, and does not classify them.
    pub fn is_language_model(&self) -> bool {
        matches!(self.head, Head::NextToken { .. })
    }

    /// How many logits it gives: one a label, or one a token of the vocabulary.
    pub fn outputs(&self) -> usize {
        match self.head {
            Head::Labels => self.labels.len(),
            Head::NextToken { .. } => self.vocabulary,
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

    /// A ViT (Dosovitskiy et al. 2021) of the sizes of [`TransformerConfig::bert`], with a class token
    /// and norms before each part.
    pub fn vit(patches: PatchConfig, labels: Vec<String>) -> Self {
        Self {
            patches: Some(patches),
            positions: patches.positions(),
            token_types: 0,
            padding_token: HIDDEN,
            embedding_norm: None,
            norm_placement: NormPlacement::Before,
            pooler: None,
            ..Self::bert(2, labels)
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
            scaled_embeddings: donor.scaled_embeddings,
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
            ("attention.key_heads", self.key_heads()),
            (
                "attention.head_width",
                self.attention.head_width.unwrap_or(1),
            ),
            ("attention.window", self.attention.window.unwrap_or(1)),
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
        if let Some(patches) = &self.patches {
            self.check_patches(patches)?;
        }
        let padding = self.padding_token;
        let known = (padding as usize) < self.vocabulary;
        ensure(known, "padding_token", padding, "an id of the vocabulary")?;
        self.check_attention()?;
        let labels = self.labels.len();
        match self.head {
            Head::Labels => ensure(labels > 0, "labels", labels, "at least 1 label")?,
            Head::NextToken { .. } => {
                ensure(labels == 0, "labels", labels, "0 for a language model")?;
                let pooler = self.pooler.map_or("none", |_| "there");
                ensure(
                    pooler == "none",
                    "pooler",
                    pooler,
                    "none in a language model",
                )?;
                let causal = self.attention.causal;
                let range = "true in a language model";
                ensure(causal, "attention.causal", causal, range)?;
                // The head reads hidden states with the table of embeddings.
                if matches!(self.head, Head::NextToken { tied: true }) {
                    let width = self.embedding_width.unwrap_or(self.width);
                    let range = "the width, where the head is tied to the embeddings";
                    ensure(width == self.width, "embedding_width", width, range)?;
                }
            }
        }
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

impl TransformerConfig {
    fn check_attention(&self) -> Result<(), ConfigError> {
        let AttentionConfig {
            head_width,
            causal,
            window,
            rotary,
            ..
        } = self.attention;
        let divides = head_width.is_some() || self.width.is_multiple_of(self.heads);
        ensure(divides, "heads", self.heads, "a divisor of the width")?;
        // The product of two sizes.
        let wide = self.head_width().saturating_mul(self.heads);
        let range = "so large that all heads together have less than 2^31 features";
        ensure(
            wide <= LARGEST,
            "attention.head_width",
            self.head_width(),
            range,
        )?;
        let key_heads = self.key_heads();
        let divides = self.heads.is_multiple_of(key_heads);
        ensure(
            divides,
            "attention.key_heads",
            key_heads,
            "a divisor of the heads",
        )?;
        let fits = causal || window.is_none();
        let range = "none unless attention is causal";
        ensure(fits, "attention.window", window.unwrap_or(0), range)?;
        let Some(rotary) = rotary else {
            return Ok(());
        };
        let width = self.head_width();
        let range = "even where positions are rotary";
        ensure(
            width.is_multiple_of(2),
            "attention.head_width",
            width,
            range,
        )?;
        let positive = |x: f64| x > 0.0 && x.is_finite();
        let range = "a finite number above 0";
        ensure(
            positive(rotary.theta),
            "attention.rotary.theta",
            rotary.theta,
            range,
        )?;
        if let Some(scaling) = rotary.scaling {
            let RotaryScaling {
                factor,
                low_frequency: low,
                high_frequency: high,
                original_positions,
            } = scaling;
            ensure(
                positive(factor),
                "attention.rotary.scaling.factor",
                factor,
                range,
            )?;
            let field = "attention.rotary.scaling.low_frequency";
            ensure(positive(low), field, low, range)?;
            let field = "attention.rotary.scaling.high_frequency";
            let fits = positive(high) && high > low;
            ensure(fits, field, high, "above the low frequency")?;
            let field = "attention.rotary.scaling.original_positions";
            let fits = (1..=LARGEST).contains(&original_positions);
            ensure(
                fits,
                field,
                original_positions,
                "at least 1, and below 2^31",
            )?;
        }
        Ok(())
    }

    fn check_patches(&self, patches: &PatchConfig) -> Result<(), ConfigError> {
        let sizes = [patches.picture, patches.patch];
        for (field, [height, width]) in ["patches.picture", "patches.patch"].into_iter().zip(sizes)
        {
            let fits = |size| (1..=LARGEST).contains(&size);
            let value = format!("{height} x {width}");
            let range = "at least 1 x 1, and below 2^31";
            ensure(fits(height) && fits(width), field, value, range)?;
        }
        let fits = patches.grid().into_iter().all(|count| count > 0);
        let [height, width] = patches.patch;
        let value = format!("{height} x {width}");
        ensure(
            fits,
            "patches.patch",
            value,
            "at most as large as a picture",
        )?;
        let channels = patches.channels;
        let known = matches!(channels, 1 | 3);
        ensure(
            known,
            "patches.channels",
            channels,
            "1 (grey) or 3 (red, green, blue)",
        )?;
        let range = "the number of patches and of the tokens before them";
        let fits = self.positions == patches.positions();
        ensure(fits, "positions", self.positions, range)?;
        ensure(
            self.vocabulary == 2,
            "vocabulary",
            self.vocabulary,
            "2 for pictures",
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

    fn patches(picture: usize, patch: usize, channels: usize) -> PatchConfig {
        PatchConfig {
            picture: [picture; 2],
            patch: [patch; 2],
            channels,
            distillation: Distillation::Absent,
        }
    }

    #[test]
    fn the_usual_starts_make_a_model() {
        let vit = TransformerConfig::vit(patches(28, 5, 1), config().labels);
        assert_eq!((vit.check(), vit.positions), (Ok(()), 26));
        assert_eq!(config().check(), Ok(()));
        assert_eq!(
            TransformerConfig::attention_only(100, config().labels).check(),
            Ok(())
        );
        assert_eq!(TransformerConfig::llama(100).check(), Ok(()));
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
    #[case("attention.key_heads", |c: &mut TransformerConfig| c.attention.key_heads = Some(3))]
    #[case("attention.key_heads", |c: &mut TransformerConfig| c.attention.key_heads = Some(0))]
    #[case("attention.head_width", |c: &mut TransformerConfig| {
        c.attention.head_width = Some(1 << 30);
    })]
    #[case("attention.window", |c: &mut TransformerConfig| c.attention.window = Some(4))]
    #[case("attention.window", |c: &mut TransformerConfig| {
        *c = TransformerConfig::llama(100);
        c.attention.window = Some(0);
    })]
    #[case("attention.head_width", |c: &mut TransformerConfig| {
        *c = TransformerConfig::llama(100);
        c.attention.head_width = Some(5);
    })]
    #[case("attention.rotary.theta", |c: &mut TransformerConfig| {
        *c = TransformerConfig::llama(100);
        c.attention.rotary = Some(RotaryConfig { theta: 0.0, scaling: None });
    })]
    #[case("attention.causal", |c: &mut TransformerConfig| {
        *c = TransformerConfig::llama(100);
        c.attention.causal = false;
    })]
    #[case("embedding_width", |c: &mut TransformerConfig| {
        *c = TransformerConfig::llama(100);
        c.embedding_width = Some(8);
    })]
    #[case("patches.picture", |c: &mut TransformerConfig| c.patches = Some(patches(0, 1, 3)))]
    #[case("patches.patch", |c: &mut TransformerConfig| c.patches = Some(patches(4, 5, 3)))]
    #[case("patches.patch", |c: &mut TransformerConfig| c.patches = Some(patches(4, 0, 3)))]
    #[case("patches.channels", |c: &mut TransformerConfig| c.patches = Some(patches(4, 2, 2)))]
    #[case("positions", |c: &mut TransformerConfig| c.patches = Some(patches(4, 2, 3)))]
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
