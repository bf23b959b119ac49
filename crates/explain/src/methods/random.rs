//! A random order.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use relprop_rules::Pass;
use relprop_transformer::TokenizedText;
use serde::Deserialize;

use super::{Finding, Method, Question};
use crate::batching::batch;
use crate::numbers::numbers;
use crate::{ExplainError, Score};

/// A random order of the tokens, the same for the same text and seed, whatever is asked. Any method
/// must be better than this.
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

    fn find(
        &self,
        texts: &[&TokenizedText],
        question: &Question,
    ) -> Result<Vec<Finding>, ExplainError> {
        let transformer = &question.model.transformer;
        let found = texts.iter().zip(self.relevance(texts, 0)?);
        let found = found.map(|(text, relevance)| {
            let batch = batch(transformer, [*text]);
            let head = transformer.forward_with_state(&batch, &mut Pass::plain());
            let logits = numbers(head.numbers)?;
            let value = match question.score {
                Score::Norm => question.value(text, &numbers(head.state.flatten::<2>(1, 2))?),
                _ => question.value(text, &logits),
            };
            Ok(Finding {
                logits,
                value,
                relevance,
                ledger: None,
            })
        });
        found.collect()
    }

    fn takes_any_target(&self) -> bool {
        true
    }
}

/// Random numbers that depend on the seed and on the text itself, so that the batch that it is in
/// makes no difference.
pub(super) fn generator(seed: u64, text: &TokenizedText) -> ChaCha8Rng {
    let mix = |seed: u64, id: u64| seed.wrapping_mul(0x100_0000_01B3).wrapping_add(id + 1);
    let ids = text.tokens.iter().map(|token| token.id.into());
    ChaCha8Rng::seed_from_u64(ids.fold(seed, mix))
}
