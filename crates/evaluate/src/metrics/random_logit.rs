//! The random-logit test: does the explanation depend on what is explained?

use crate::statistics::spearman;
use crate::{About, Better, Case, Metric, Need, Reading};

/// The rank correlation (Spearman) of relevance for the true label with that for another label, drawn
/// at random (Sixt et al. 2020). A method that does not look at the target keeps 1.
#[derive(Clone, Copy, Debug)]
pub struct RandomLogit;

impl Metric for RandomLogit {
    fn about(&self) -> About {
        About::new(
            "random-logit",
            "rank correlation with relevance for another label",
            Better::Lower,
        )
        .needing(Need::OtherLabel)
    }

    fn read(&self, case: &Case, _: &[&[f32]]) -> Option<Reading> {
        spearman(case.relevance, case.other_label?).map(Reading::from)
    }
}
