//! Comprehensiveness: is what was found all that matters?

use super::rationale::{FRACTIONS, rationale};
use crate::evaluate::curve::marks;
use crate::evaluate::view::probability;
use crate::evaluate::{Better, Case, Metric, Reading, View};

/// How much of the label's probability goes with the most relevant tokens (ERASER; DeYoung et al.
/// 2020), as the area over the perturbation curve.
///
/// ```text
/// mean over fractions of p(label | x) - p(label | x without the rationale)
/// ```
///
/// The rationale is 1, 5, 10, 20 or 50 % of the text's tokens, rounded up, of the highest relevance;
/// its tokens are removed.
#[derive(Clone, Copy, Debug)]
pub struct Comprehensiveness;

impl Metric for Comprehensiveness {
    fn name(&self) -> String {
        "comprehensiveness".to_owned()
    }

    fn about(&self) -> &'static str {
        "probability that is lost without the most relevant tokens"
    }

    fn better(&self) -> Better {
        Better::Higher
    }

    fn views(&self, case: &Case) -> Vec<View> {
        let text = &case.sample.text;
        let without = |fraction| View::Removed(marks(text, &rationale(case, fraction)));
        let whole = [View::whole(text)];
        whole.into_iter().chain(FRACTIONS.map(without)).collect()
    }

    fn read(&self, case: &Case, logits: &[&[f32]]) -> Option<Reading> {
        let label = case.sample.label;
        let whole = probability(logits[0], label);
        let lost = logits[1..]
            .iter()
            .map(|logits| whole - probability(logits, label));
        Some((lost.sum::<f64>() / FRACTIONS.len() as f64).into())
    }
}
