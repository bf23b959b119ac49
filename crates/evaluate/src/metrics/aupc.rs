//! AUPC: does the decision stay?

use crate::curve::{Scope, hiding, probabilities, weakest};
use crate::{About, Better, Case, Metric, Reading, View};

/// The area under the pruning curve (Ali et al. 2022, released code).
///
/// Tokens of the lowest absolute relevance become unknown first. The curve is the probability of the
/// true label.
#[derive(Clone, Copy, Debug)]
pub struct Aupc(pub Scope);

impl Metric for Aupc {
    fn about(&self) -> About {
        About::new(
            format!("aupc{}", self.0.suffix()),
            "area under the probability of the label while the least relevant tokens are \
             hidden first",
            Better::Higher,
        )
    }

    fn views(&self, case: &Case) -> Vec<View> {
        let text = &case.sample.text;
        hiding(text, &self.0.order(case, weakest))
    }

    fn read(&self, case: &Case, logits: &[&[f32]]) -> Option<Reading> {
        probabilities(case, logits)
    }
}
