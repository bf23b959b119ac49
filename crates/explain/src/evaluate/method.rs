//! Ways to obtain relevance.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use relprop_transformer::TokenizedText;

use crate::{ExplainError, Explainer, Target};

/// A way to tell how much each token of a text matters.
pub trait Method {
    /// Its name in tables.
    fn name(&self) -> &str;

    /// The relevance of every token of each text for the logit of `label`, special tokens included.
    ///
    /// # Errors
    ///
    /// If the model cannot be explained in this way.
    fn relevance(
        &self,
        texts: &[TokenizedText],
        label: usize,
    ) -> Result<Vec<Vec<f32>>, ExplainError>;
}

impl Method for Explainer<'_> {
    /// The name of the rule set.
    fn name(&self) -> &str {
        self.rules_name()
    }

    fn relevance(
        &self,
        texts: &[TokenizedText],
        label: usize,
    ) -> Result<Vec<Vec<f32>>, ExplainError> {
        let explainer = self.clone().target(Target::Label(label))?;
        let explanations = explainer.explain_batch(texts)?;
        let relevance = explanations
            .iter()
            .map(|e| e.tokens.iter().map(|token| token.relevance).collect());
        Ok(relevance.collect())
    }
}

/// A random order of the tokens, the same for the same text and seed: what any method must beat.
#[derive(Clone, Copy, Debug)]
pub struct Random {
    /// What the orders come from.
    pub seed: u64,
}

impl Method for Random {
    fn name(&self) -> &str {
        "random"
    }

    fn relevance(&self, texts: &[TokenizedText], _: usize) -> Result<Vec<Vec<f32>>, ExplainError> {
        let ranks = texts.iter().map(|text| {
            // Of the text itself, so that the batch that it is in makes no difference.
            let mix = |seed: u64, id: u64| seed.wrapping_mul(0x100_0000_01B3).wrapping_add(id + 1);
            let ids = text.tokens.iter().map(|token| token.id.into());
            let mut generator = ChaCha8Rng::seed_from_u64(ids.fold(self.seed, mix));
            let mut ranks: Vec<f32> = (1..=text.tokens.len()).map(|rank| rank as f32).collect();
            ranks.shuffle(&mut generator);
            ranks
        });
        Ok(ranks.collect())
    }
}
