//! Checks whether the values of a configuration fit together.

use super::{Branches, InputConfig, NormPlacement, PatchConfig, TransformerConfig};
use crate::{AnswersAt, Dense, Head, Outputs, VectorPooling};

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

/// No size is larger: products of two of them stay far below what a `usize` holds.
pub(super) const LARGEST: usize = (1 << 31) - 1;

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
            ("tasks", self.tasks),
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
        let dropped = self.dropped_token.unwrap_or_default();
        let known = (dropped as usize) < self.vocabulary();
        ensure(known, "dropped_token", dropped, "an id of the vocabulary")?;
        self.check_stages()?;
        self.check_attention()?;
        self.check_decoder()?;
        self.check_experts()?;
        self.check_factors()?;
        self.check_branches()?;
        let bare = self.bare_first_block && self.norm_placement != NormPlacement::Before;
        let range = "false unless norms stand before the parts";
        ensure(!bare, "bare_first_block", bare, range)?;
        self.check_head()?;
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

    fn check_head(&self) -> Result<(), ConfigError> {
        let labels = self.labels.len();
        let is_text = self.patches().is_none();
        match self.head.outputs() {
            Outputs::Labels | Outputs::TokenLabels => {
                ensure(labels > 0, "labels", labels, "at least 1 label")?;
            }
            Outputs::Vocabulary => {
                ensure(labels == 0, "labels", labels, "0 for a language model")?;
                ensure(is_text, "input", "patches", "tokens in a language model")?;
                let pooler = self.pooler.map_or("none", |_| "there");
                let range = "none in a language model";
                ensure(pooler == "none", "pooler", pooler, range)?;
            }
            Outputs::StartAndEnd | Outputs::Vector => {
                let range = "0 for a head without labels";
                ensure(labels == 0, "labels", labels, range)?;
            }
        }
        match self.head {
            Head::NextToken { tied } => {
                let causal = self.attention.causal || self.decoder.is_some();
                let range = "true in a language model";
                ensure(causal, "attention.causal", causal, range)?;
                // The head reads hidden states with the table of embeddings.
                if tied {
                    let width = self.output_width();
                    let width = match self.projected_words {
                        true => self.width,
                        false => self.embedding_width.unwrap_or(width),
                    };
                    let range = "the width, where the head is tied to the embeddings";
                    ensure(width == self.width, "embedding_width", width, range)?;
                }
            }
            Head::Vector {
                dense,
                second,
                pooling,
                ..
            } => {
                for (field, dense) in [
                    ("head.vector.dense.width", dense),
                    ("head.vector.second.width", second),
                ] {
                    let width = dense.map_or(1, |Dense { width, .. }| width);
                    let fits = (1..=LARGEST).contains(&width);
                    ensure(fits, field, width, "at least 1, and below 2^31")?;
                }
                let follows = second.is_none() || dense.is_some();
                let range = "none where there is no first map";
                ensure(follows, "head.vector.second", "there", range)?;
                if pooling == VectorPooling::Patches {
                    ensure(!is_text, "input", "tokens", "patches where they answer")?;
                }
                if pooling == VectorPooling::Attention {
                    let plain = self.feed_forward.is_some() && self.experts.is_none();
                    let range = "there, without experts, where a learned query pools";
                    ensure(plain, "feed_forward", "another", range)?;
                }
            }
            Head::LabelsOfPatches | Head::LabelsOfBoth => {
                ensure(!is_text, "input", "tokens", "patches where they answer")?;
            }
            Head::TokenLabels | Head::Span => {
                let range = "tokens where each token answers";
                ensure(is_text, "input", "patches", range)?;
            }
            Head::Labels
            | Head::LabelsOfMean
            | Head::LabelsAtEnd { .. }
            | Head::MaskedToken { .. } => {}
        }
        Ok(())
    }

    fn check_factors(&self) -> Result<(), ConfigError> {
        let attention = &self.attention;
        let clip = self.feed_forward.and_then(|part| part.clip);
        let gated = clip.is_none() || self.feed_forward.is_some_and(|part| part.gated);
        let range = "true where both maps up are bounded";
        ensure(gated, "feed_forward.gated", gated, range)?;
        for (field, value) in [
            ("embedding_factor", self.embedding_factor),
            ("branch_factor", self.branch_factor),
            ("logit_divisor", self.logit_divisor),
            ("logit_cap", self.logit_cap),
            ("attention.score_factor", attention.score_factor),
            ("attention.score_cap", attention.score_cap),
            ("feed_forward.clip.bound", clip.map(|clip| clip.bound)),
            ("feed_forward.clip.slope", clip.map(|clip| clip.slope)),
        ] {
            let value = value.unwrap_or(1.0);
            let fits = value > 0.0 && value.is_finite();
            ensure(fits, field, value, "a finite number above 0")?;
        }
        Ok(())
    }

    fn check_experts(&self) -> Result<(), ConfigError> {
        let Some(experts) = self.experts else {
            return Ok(());
        };
        // A damaged file could ask for more experts than fit into memory.
        let fits = (1..=4096).contains(&experts.count);
        ensure(fits, "experts.count", experts.count, "in 1..=4096")?;
        let fits = (1..=experts.count).contains(&experts.chosen);
        let range = "at least 1, and at most the number of experts";
        ensure(fits, "experts.chosen", experts.chosen, range)?;
        for (field, width) in [
            ("experts.width", experts.width),
            ("experts.shared", experts.shared.unwrap_or(1)),
        ] {
            let fits = (1..=LARGEST).contains(&width);
            ensure(fits, field, width, "at least 1, and below 2^31")?;
        }
        let part = self.feed_forward.map_or("none", |_| "there");
        let range = "there where experts have its activation";
        ensure(part == "there", "feed_forward", part, range)?;
        let in_turn = self.branches == Branches::InTurn;
        let range = "in turn where there are experts";
        ensure(in_turn, "branches", "another", range)
    }

    fn check_branches(&self) -> Result<(), ConfigError> {
        if self.branches == Branches::InTurn {
            return Ok(());
        }
        let part = self.feed_forward.map_or("none", |_| "there");
        let range = "there where it stands beside attention";
        ensure(part == "there", "feed_forward", part, range)?;
        let before = self.norm_placement == NormPlacement::Before;
        let range = "before the parts where they stand side by side";
        ensure(before, "norm_placement", "another", range)
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
        let registers = patches.registers;
        let few = registers <= LARGEST;
        ensure(few, "patches.registers", registers, "below 2^31")?;
        let unread = patches.unclassed && patches.special() > 0;
        let range = "there before other tokens that are no patches";
        ensure(!unread, "patches.unclassed", unread, range)?;
        let named = !patches.unclassed || self.head.answers_at() != AnswersAt::First;
        let range = "a class token, where the head reads it";
        ensure(named, "patches.unclassed", !named, range)?;
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

pub(super) fn ensure(
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
            distillation: Distillation::Absent,
            ..PatchConfig::new([picture; 2], [patch; 2], channels)
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
        c.attention.rotary = Some(RotaryConfig::new(0.0));
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
