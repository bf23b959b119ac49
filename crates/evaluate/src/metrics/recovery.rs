//! Recovery: does the top tenth of the tokens have the evidence?

use crate::curve::{Scope, highest};
use crate::sample::overlap;
use crate::{About, Better, Case, Metric, Need, Reading};

/// The share of the evidence, in tokens, that is among the tenth of the prompt's tokens of the highest relevance,
/// rounded up (FlashTrace, arXiv 2602.01914).
#[derive(Clone, Copy, Debug)]
pub struct Recovery;

impl Metric for Recovery {
    fn about(&self) -> About {
        About::new(
            "recovery",
            "share of the evidence among the most relevant tenth of the tokens",
            Better::Higher,
        )
        .needing(Need::Evidence)
    }

    fn read(&self, case: &Case, _: &[&[f32]]) -> Option<Reading> {
        let order = Scope::Text.order(case, highest);
        let patches = case.sample.decisive_patches();
        let is_evidence = |place: &&usize| {
            let token = &case.sample.text.tokens[**place];
            if case.sample.text.picture().is_some() {
                let patch = token.word.and_then(|patch| patches.get(patch as usize));
                return patch.copied().unwrap_or_default();
            }
            let mut known = case.sample.evidence.iter();
            known.any(|known| overlap(known, &(token.start..token.end)))
        };
        let count = |places: &[usize]| places.iter().filter(is_evidence).count() as f64;
        let all = count(&order);
        (all > 0.0).then(|| (count(&order[..order.len().div_ceil(10)]) / all).into())
    }
}
