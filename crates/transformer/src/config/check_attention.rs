//! What makes attention, and what does not.

use super::check::{ConfigError, LARGEST, ensure};
use super::{AttentionConfig, PositionBias, TransformerConfig};

impl TransformerConfig {
    pub(super) fn check_attention(&self) -> Result<(), ConfigError> {
        let AttentionConfig {
            head_width, rotary, ..
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
        let whole = !self.attention.whole_query_key_norm || self.attention.query_key_norm;
        let range = "false where queries and keys have no norm";
        ensure(whole, "attention.whole_query_key_norm", !whole, range)?;
        if self.attention.bias.is_some() {
            let range = "none where positions are a bias";
            let fits = rotary.is_none() && self.attention_by_block.is_empty();
            ensure(fits, "attention.rotary", "there", range)?;
        }
        if let Some(PositionBias::Learned {
            buckets, farthest, ..
        }) = self.attention.bias
        {
            let fits = buckets.is_multiple_of(4) && (4..=LARGEST).contains(&buckets);
            let range = "a multiple of 4, and below 2^31";
            ensure(fits, "attention.bias.learned.buckets", buckets, range)?;
            // A decoder looks in one direction alone, which then has all buckets.
            let near = buckets / if self.decoder.is_some() { 2 } else { 4 };
            let fits = (near + 1..=LARGEST).contains(&farthest);
            let range = "more than a quarter of the buckets, and below 2^31";
            ensure(fits, "attention.bias.learned.farthest", farthest, range)?;
        }
        if self.attention.bias == Some(PositionBias::Grid) {
            let on_grid = self.patches().is_some_and(|patches| patches.special() <= 1);
            let range = "another in a model without patches, or with more tokens before them than a class token";
            ensure(on_grid, "attention.bias", "grid", range)?;
        }
        if let Some(distances) = self.attention.disentangled {
            let fits = (2..=LARGEST / 2).contains(&distances.buckets);
            let range = "at least 2, and below 2^30";
            let field = "attention.disentangled.buckets";
            ensure(fits, field, distances.buckets, range)?;
            let farthest = distances.farthest.unwrap_or(distances.buckets + 2);
            let fits = (distances.buckets / 2 + 2..=LARGEST).contains(&farthest);
            let range = "more than half of the buckets and one, and below 2^31";
            ensure(fits, "attention.disentangled.farthest", farthest, range)?;
            let alone =
                rotary.is_none() && self.attention.bias.is_none() && key_heads == self.heads;
            let range = "the only positions, and each head has its own keys";
            ensure(alone, "attention.disentangled", "there", range)?;
        }
        let by_block = self.attention_by_block.len();
        let fits = by_block == 0 || by_block == self.blocks;
        ensure(fits, "attention_by_block", by_block, "one for each block")?;
        for block in &self.attention_by_block {
            let window = block.window.unwrap_or(1);
            let range = "at least 1, and below 2^31";
            let fits = (1..=LARGEST).contains(&window);
            ensure(fits, "attention_by_block.window", window, range)?;
            let fits = block.rotary.is_none() || rotary.is_some();
            let range = "none where no rotation is for all";
            ensure(fits, "attention_by_block.rotary", "there", range)?;
        }
        let own = self.attention_by_block.iter().map(|block| block.rotary);
        own.chain([rotary])
            .flatten()
            .try_for_each(|rotary| self.check_rotary(&rotary))
    }
}
