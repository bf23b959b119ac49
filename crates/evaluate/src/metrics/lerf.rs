//! LeRF: how long does the decision stay?

use crate::curve::{Scope, hiding, lowest, probabilities};
use crate::{About, Better, Case, Metric, Reading, View};

/// Least relevant first (Samek et al. 2017): the area under the probability of the true label while
/// the text's tokens of the lowest relevance become unknown first; signs count. Special tokens
/// stay.
#[derive(Clone, Copy, Debug)]
pub struct Lerf;

impl Metric for Lerf {
    fn about(&self) -> About {
        About::new(
            "lerf",
            "area under the probability of the label while the tokens of the lowest signed \
             relevance are hidden first",
            Better::Higher,
        )
    }

    fn views(&self, case: &Case) -> Vec<View> {
        let text = &case.sample.text;
        hiding(text, &Scope::Text.order(case, lowest))
    }

    fn read(&self, case: &Case, logits: &[&[f32]]) -> Option<Reading> {
        probabilities(case, logits)
    }
}
