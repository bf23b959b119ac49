//! AUAC: does the decision return at once?

use crate::curve::{Scope, highest, probabilities, showing};
use crate::{About, Better, Case, Metric, Reading, View};

/// The area under the activation curve (Ali et al. 2022).
///
/// All tokens start as the unknown token. Those of the highest relevance are shown first; signs
/// count. The curve is the probability of the true label.
#[derive(Clone, Copy, Debug)]
pub struct Auac(pub Scope);

impl Metric for Auac {
    fn about(&self) -> About {
        About::new(
            format!("auac{}", self.0.suffix()),
            "area under the probability of the label while the most relevant tokens are \
             shown first",
            Better::Higher,
        )
    }

    fn views(&self, case: &Case) -> Vec<View> {
        let text = &case.sample.text;
        showing(text, &self.0.order(case, highest))
    }

    fn read(&self, case: &Case, logits: &[&[f32]]) -> Option<Reading> {
        probabilities(case, logits)
    }
}
