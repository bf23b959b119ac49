//! Checks whether the values of a configuration fit together.

use super::{AttentionConfig, InputConfig, PatchConfig, RotaryScaling, TransformerConfig};
use crate::Head;

/// Why a configuration does not describe a model.
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

/// The largest size. Products of two sizes stay far below the limit of a `usize`.
const LARGEST: usize = (1 << 31) - 1;

impl TransformerConfig {
    /// Checks that all values are in their ranges and fit together.
    ///
    /// # Errors
    ///
    /// A [`ConfigError`] that names the first field out of its range.
    pub fn check(&self) -> Result<(), ConfigError> {
        for (field, value) in [
            ("vocabulary", self.vocabulary()),
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
        // A damaged file could ask for more blocks than fit into memory.
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
        if let InputConfig::Patches(patches) = &self.input {
            self.check_patches(patches)?;
        }
        let padding = self.padding_token;
        let known = (padding as usize) < self.vocabulary();
        ensure(known, "padding_token", padding, "an id of the vocabulary")?;
        self.check_attention()?;
        let labels = self.labels.len();
        match self.head {
            Head::Labels => ensure(labels > 0, "labels", labels, "at least 1 label")?,
            Head::NextToken { .. } => {
                let (tokens, range) = (self.patches().is_none(), "tokens in a language model");
                ensure(tokens, "input", "patches", range)?;
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
                // The head multiplies hidden states by the table of embeddings.
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
        ensure(fits, "positions", self.positions, range)
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
    use relprop_rules::operations::NormScale;
    use rstest::rstest;

    use super::*;
    use crate::{Distillation, RotaryConfig};

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
    #[case("vocabulary", |c: &mut TransformerConfig| {
        c.input = InputConfig::Tokens { vocabulary: 0 };
    })]
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
    #[case("patches.picture", |c: &mut TransformerConfig| c.input = InputConfig::Patches(patches(0, 1, 3)))]
    #[case("patches.patch", |c: &mut TransformerConfig| c.input = InputConfig::Patches(patches(4, 5, 3)))]
    #[case("patches.patch", |c: &mut TransformerConfig| c.input = InputConfig::Patches(patches(4, 0, 3)))]
    #[case("patches.channels", |c: &mut TransformerConfig| c.input = InputConfig::Patches(patches(4, 2, 2)))]
    #[case("positions", |c: &mut TransformerConfig| c.input = InputConfig::Patches(patches(4, 2, 3)))]
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
