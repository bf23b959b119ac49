//! Sufficiency: are the most relevant tokens enough?

use super::shared::rationale::{mean_loss, views};
use crate::curve::marks;
use crate::{About, Better, Case, Metric, Reading, View};

/// How much of the label's probability is lost if only the most relevant tokens are left (ERASER;
/// DeYoung et al. 2020), as the area over the perturbation curve.
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
    fn about(&self) -> About {
        About::new(
            "sufficiency",
            "probability that the most relevant tokens lack by themselves",
            Better::Lower,
        )
    }

    fn views(&self, case: &Case) -> Vec<View> {
        let text = &case.sample.text;
        views(case, |rationale| {
            let kept = marks(text, rationale);
            let stays = |place: usize| text.tokens[place].special || !case.may_change(place);
            let removed = kept
                .iter()
                .enumerate()
                .map(|(place, kept)| !kept && !stays(place));
            View::Removed(removed.collect())
        })
    }

    fn read(&self, case: &Case, logits: &[&[f32]]) -> Option<Reading> {
        mean_loss(case, logits)
    }
}
