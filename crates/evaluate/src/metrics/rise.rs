//! RISE: how fast does the answer become improbable?

use super::shared::steps::{response, views};
use crate::curve::area;
use crate::{About, Better, Case, Metric, Reading, View};

/// The area under what is left of the log-probability of the answer while the prompt's tokens become unknown in
/// 20 steps, those of the highest relevance first (Petsiuk et al. 2018; of language models, FlashTrace, arXiv
/// 2602.01914).
///
/// ```text
/// r_i = (s_i - s_20) / |s_0 - s_20|, between 0 and 1, and never more than before
/// ```
///
/// A text whose answer is as probable without the prompt has no number.
#[derive(Clone, Copy, Debug)]
pub struct Rise;

impl Metric for Rise {
    fn about(&self) -> About {
        About::new(
            "rise",
            "area under the log-probability of the answer while the most relevant tokens of the prompt are \
             hidden first",
            Better::Lower,
        )
    }

    fn views(&self, case: &Case) -> Vec<View> {
        views(case)
    }

    fn read(&self, case: &Case, logits: &[&[f32]]) -> Option<Reading> {
        // A short prompt has fewer steps, so that curves of different texts have no mean.
        response(case, logits).map(|curve| area(&curve).into())
    }
}
