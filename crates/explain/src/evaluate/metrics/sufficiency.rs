//! Sufficiency: is what was found enough?

use super::rationale::{FRACTIONS, rationale};
use crate::evaluate::curve::marks;
use crate::evaluate::view::probability;
use crate::evaluate::{Better, Case, Metric, Reading, View};

/// How much of the label's probability the most relevant tokens lack by themselves (ERASER; DeYoung
/// et al. 2020), as the area over the perturbation curve.
///
/// ```text
/// mean over fractions of p(label | x) - p(label | the rationale alone)
/// ```
///
/// The rationale is 1, 5, 10, 20 or 50 % of the text's tokens, rounded up, of the highest relevance.
/// All others are removed; special tokens stay.
#[derive(Clone, Copy, Debug)]
pub struct Sufficiency;

impl Metric for Sufficiency {
    fn name(&self) -> String {
        "sufficiency".to_owned()
    }

    fn about(&self) -> &'static str {
        "probability that the most relevant tokens lack by themselves"
    }

    fn better(&self) -> Better {
        Better::Lower
    }

    fn views(&self, case: &Case) -> Vec<View> {
        let text = &case.sample.text;
        let alone = |fraction| {
            let kept = marks(text, &rationale(case, fraction));
            let tokens = text.tokens.iter().zip(kept);
            View::Removed(
                tokens
                    .map(|(token, kept)| !kept && !token.special)
                    .collect(),
            )
        };
        let whole = [View::whole(text)];
        whole.into_iter().chain(FRACTIONS.map(alone)).collect()
    }

    fn read(&self, case: &Case, logits: &[&[f32]]) -> Option<Reading> {
        let label = case.sample.label;
        let whole = probability(logits[0], label);
        let lacking = logits[1..]
            .iter()
            .map(|logits| whole - probability(logits, label));
        Some((lacking.sum::<f64>() / FRACTIONS.len() as f64).into())
    }
}
