//! A random order.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use relprop_transformer::TokenizedText;
use serde::Deserialize;

use super::Method;
use crate::ExplainError;

/// A random order of the tokens, the same for the same text and seed. Any method must be better
/// than this.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Random {
    /// The seed of the orders.
    pub seed: u64,
}

impl Method for Random {
    fn name(&self) -> &str {
        "random"
    }

    fn relevance(&self, texts: &[&TokenizedText], _: usize) -> Result<Vec<Vec<f32>>, ExplainError> {
        let ranks = texts.iter().map(|text| {
            let mut ranks: Vec<f32> = (1..=text.tokens.len()).map(|rank| rank as f32).collect();
            ranks.shuffle(&mut generator(self.seed, text));
            ranks
        });
        Ok(ranks.collect())
    }
}

/// Random numbers that depend on the seed and on the text itself, so that the batch that it is in
/// makes no difference.
pub(super) fn generator(seed: u64, text: &TokenizedText) -> ChaCha8Rng {
    let mix = |seed: u64, id: u64| seed.wrapping_mul(0x100_0000_01B3).wrapping_add(id + 1);
    let ids = text.tokens.iter().map(|token| token.id.into());
    ChaCha8Rng::seed_from_u64(ids.fold(seed, mix))
}
