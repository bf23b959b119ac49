//! The second stack of a model that reads one text and writes another.

use serde::{Deserialize, Serialize};

use super::check::{ConfigError, LARGEST, ensure};
use super::{AttentionConfig, Branches, FeedForwardConfig, InputConfig, TransformerConfig};
use crate::Head;

/// The decoder of a model that reads one text, the source, and writes another, the output. The blocks of
/// [`TransformerConfig`] are then those of the encoder, which reads the source. A block of the decoder attends to
/// the output so far, then to what the encoder made of the source, by cross-attention. Everything that is not
/// said here is as in the encoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecoderConfig {
    /// The number of its blocks, in 1..=1000.
    pub blocks: usize,
    /// The number of heads of each of its attentions.
    pub heads: usize,
    /// The number of features in the middle of its feed-forward parts.
    pub feed_forward: usize,
    /// The token that stands before every output.
    pub start: u32,
}

/// Positions as sines and cosines of a number of wavelengths (Vaswani et al. 2017), the sines first, in the place of
/// a table that was learned. Of a width of d, feature i of the first d / 2 is sin(p w_i) at position p, and
/// feature d / 2 + i is cos(p w_i).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sinusoids {
    /// w_i = 10000^(-2 i / d): Marian, Pegasus.
    OverWidth,
    /// w_i = 10000^(-i / (d / 2 - 1)), so that the last wavelength is 2 pi times 10000: M2M100.
    ToTheEnd,
}

impl TransformerConfig {
    /// The number of blocks of both stacks together.
    pub fn all_blocks(&self) -> usize {
        self.blocks + self.decoder.map_or(0, |decoder| decoder.blocks)
    }

    /// How many tokens the text has with which [`Transformer::sites`](crate::Transformer::sites) lists the sites; a
    /// signal of as many rows there has one for each token.
    pub fn traced_positions(&self) -> usize {
        match (self.patches(), self.decoder) {
            (Some(patches), _) => patches.positions(),
            (None, Some(_)) => 4,
            (None, None) => 2,
        }
    }

    /// What the site of block `index` is called, where the blocks of the decoder are counted on from those of the
    /// encoder: `encoder.3`, `decoder.0`.
    pub fn block_name(&self, index: usize) -> String {
        match index.checked_sub(self.blocks) {
            Some(index) if self.decoder.is_some() => format!("decoder.{index}"),
            _ => format!("encoder.{index}"),
        }
    }

    /// The decoder as a model of its own, without its cross-attention: its blocks are causal.
    pub(crate) fn of_decoder(&self) -> Option<Self> {
        let decoder = self.decoder?;
        Some(Self {
            blocks: decoder.blocks,
            heads: decoder.heads,
            feed_forward: self.feed_forward.map(|part| FeedForwardConfig {
                width: decoder.feed_forward,
                ..part
            }),
            attention: AttentionConfig {
                causal: true,
                ..self.attention
            },
            decoder: None,
            ..self.clone()
        })
    }

    pub(super) fn check_decoder(&self) -> Result<(), ConfigError> {
        let even = self.sinusoids.is_none() || (self.width.is_multiple_of(2) && self.width > 2);
        let range = "even, and more than 2, where positions are sines and cosines";
        ensure(even, "width", self.width, range)?;
        let Some(decoder) = self.decoder else {
            return Ok(());
        };
        for (field, count) in [("blocks", self.blocks), ("decoder.blocks", decoder.blocks)] {
            ensure((1..=1000).contains(&count), field, count, "in 1..=1000")?;
        }
        let DecoderConfig { heads, .. } = decoder;
        let divides =
            self.attention.head_width.is_some() || self.width.is_multiple_of(heads.max(1));
        let fits = (1..=LARGEST).contains(&heads) && divides;
        ensure(fits, "decoder.heads", heads, "a divisor of the width")?;
        let wide = self.attention.head_width.unwrap_or(1).saturating_mul(heads);
        let range = "so few that all heads together have less than 2^31 features";
        ensure(wide <= LARGEST, "decoder.heads", heads, range)?;
        let width = decoder.feed_forward;
        let fits = (1..=LARGEST).contains(&width);
        ensure(
            fits,
            "decoder.feed_forward",
            width,
            "at least 1, and below 2^31",
        )?;
        let known = (decoder.start as usize) < self.vocabulary();
        ensure(
            known,
            "decoder.start",
            decoder.start,
            "an id of the vocabulary",
        )?;
        // Parts that no model of two stacks has had so far, with what they must be.
        let AttentionConfig {
            causal,
            window,
            key_heads,
            rotary,
            query_key_norm,
            sinks,
            disentangled,
            ..
        } = self.attention;
        let reads = matches!(
            self.head,
            Head::NextToken { .. } | Head::LabelsAtEnd { .. } | Head::Span
        );
        for (field, absent) in [
            ("head", reads),
            ("input", matches!(self.input, InputConfig::Tokens { .. })),
            ("token_types", self.token_types == 0),
            ("tasks", self.tasks == 0),
            ("embedding_width", self.embedding_width.is_none()),
            ("dropped_token", self.dropped_token.is_none()),
            ("shared_blocks", !self.shared_blocks),
            ("bare_first_block", !self.bare_first_block),
            ("experts", self.experts.is_none()),
            ("branches", self.branches == Branches::InTurn),
            ("feed_forward", self.feed_forward.is_some()),
            ("attention_by_block", self.attention_by_block.is_empty()),
            ("attention.causal", !causal),
            ("attention.window", window.is_none()),
            ("attention.key_heads", key_heads.is_none()),
            ("attention.rotary", rotary.is_none()),
            ("attention.query_key_norm", !query_key_norm),
            ("attention.sinks", !sinks),
            ("attention.disentangled", disentangled.is_none()),
        ] {
            let range = "as in BERT where there is a decoder, with a head for tokens to come, for labels at the end or for answers";
            ensure(absent, field, "another", range)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn config() -> TransformerConfig {
        TransformerConfig {
            token_types: 0,
            pooler: None,
            head: Head::NextToken { tied: true },
            decoder: Some(DecoderConfig {
                blocks: 3,
                heads: 2,
                feed_forward: 8,
                start: 1,
            }),
            ..TransformerConfig::bert(100, Vec::new())
        }
    }

    #[test]
    fn blocks_are_counted_through_both_stacks() {
        let config = config();
        assert_eq!((config.check(), config.all_blocks()), (Ok(()), 5));
        let names = [1, 2, 4].map(|index| config.block_name(index));
        assert_eq!(names, ["encoder.1", "decoder.0", "decoder.2"]);
        let own = config.of_decoder().unwrap();
        assert!(own.attention.causal && !config.attention.causal);
        assert_eq!((own.blocks, own.heads, own.decoder), (3, 2, None));
    }

    #[rstest]
    #[case("decoder.blocks", |c: &mut TransformerConfig| c.decoder.as_mut().unwrap().blocks = 0)]
    #[case("decoder.heads", |c: &mut TransformerConfig| c.decoder.as_mut().unwrap().heads = 3)]
    #[case("decoder.feed_forward", |c: &mut TransformerConfig| c.decoder.as_mut().unwrap().feed_forward = 0)]
    #[case("decoder.start", |c: &mut TransformerConfig| c.decoder.as_mut().unwrap().start = 100)]
    #[case("blocks", |c: &mut TransformerConfig| c.blocks = 0)]
    #[case("attention.causal", |c: &mut TransformerConfig| c.attention.causal = true)]
    #[case("attention.sinks", |c: &mut TransformerConfig| c.attention.sinks = true)]
    #[case("token_types", |c: &mut TransformerConfig| c.token_types = 2)]
    #[case("width", |c: &mut TransformerConfig| {
        (c.width, c.heads, c.sinusoids) = (27, 3, Some(Sinusoids::OverWidth));
    })]
    fn a_field_that_does_not_fit_is_named(
        #[case] field: &str,
        #[case] spoil: fn(&mut TransformerConfig),
    ) {
        let mut config = config();
        spoil(&mut config);
        assert_eq!(config.check().unwrap_err().field, field);
    }
}
