//! MoRF: how fast does the decision go?

use crate::curve::{Scope, hiding, highest, probabilities};
use crate::{About, Better, Case, Metric, Reading, View};

/// Most relevant first (Samek et al. 2017): the area under the probability of the true label while
/// the text's tokens of the highest relevance become unknown first; signs count. Special tokens
/// stay.
#[derive(Clone, Copy, Debug)]
pub struct Morf;

impl Metric for Morf {
    fn about(&self) -> About {
        About::new(
            "morf",
            "area under the probability of the label while the most relevant tokens are \
             hidden first",
            Better::Lower,
        )
    }

    fn views(&self, case: &Case) -> Vec<View> {
        let text = &case.sample.text;
        hiding(text, &Scope::Text.order(case, highest))
    }

    fn read(&self, case: &Case, logits: &[&[f32]]) -> Option<Reading> {
        probabilities(case, logits)
    }
}
