//! AU-MSE: do the logits stay?

use crate::curve::{Scope, area_under, hiding, weakest};
use crate::{About, Better, Case, Metric, Reading, View};

/// The area under the pruning error (Ali et al. 2022).
///
/// Tokens of the lowest absolute relevance become unknown first. The curve is the squared change of
/// the logits, summed over labels.
#[derive(Clone, Copy, Debug)]
pub struct AuMse(pub Scope);

impl Metric for AuMse {
    fn about(&self) -> About {
        About::new(
            format!("au-mse{}", self.0.suffix()),
            "area under the squared change of the logits while the least relevant tokens \
             are hidden first",
            Better::Lower,
        )
    }

    fn views(&self, case: &Case) -> Vec<View> {
        let text = &case.sample.text;
        hiding(text, &self.0.order(case, weakest))
    }

    fn read(&self, _: &Case, logits: &[&[f32]]) -> Option<Reading> {
        let whole = logits[0];
        let change = |logits: &&[f32]| {
            let changes = logits.iter().zip(whole);
            let squares = changes.map(|(now, then)| f64::from(now - then).powi(2));
            squares.sum()
        };
        Some(area_under(logits.iter().map(change).collect()))
    }
}
