//! Comprehensiveness: do the most relevant tokens hold all that matters?

use super::shared::rationale::{mean_loss, views};
use crate::curve::marks;
use crate::{About, Better, Case, Metric, Reading, View};

/// How much of the label's probability is lost without the most relevant tokens (ERASER; DeYoung et
/// al. 2020), as the area over the perturbation curve.
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
    fn about(&self) -> About {
        About::new(
            "comprehensiveness",
            "probability that is lost without the most relevant tokens",
            Better::Higher,
        )
    }

    fn views(&self, case: &Case) -> Vec<View> {
        let text = &case.sample.text;
        views(case, |rationale| View::Removed(marks(text, rationale)))
    }

    fn read(&self, case: &Case, logits: &[&[f32]]) -> Option<Reading> {
        mean_loss(case, logits)
    }
}
