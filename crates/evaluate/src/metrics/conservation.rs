//! The conservation error: how much of the target do the tokens not hold?

use crate::{About, Better, Case, Metric, Reading, View};

/// The absolute difference of what is explained and the sum of relevance over all tokens: the
/// completeness error of Mehri et al. 2025. `relprop explain --ledger` says where the difference is.
#[derive(Clone, Copy, Debug)]
pub struct Conservation;

impl Metric for Conservation {
    fn about(&self) -> About {
        About::new(
            "conservation",
            "absolute difference of the logit and the sum of relevance",
            Better::Lower,
        )
    }

    fn views(&self, case: &Case) -> Vec<View> {
        vec![View::whole(&case.sample.text)]
    }

    fn read(&self, case: &Case, logits: &[&[f32]]) -> Option<Reading> {
        let total: f64 = case.relevance.iter().copied().map(f64::from).sum();
        Some((case.value(logits[0]) - total).abs().into())
    }
}
