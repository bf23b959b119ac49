//! Model-parameter randomization: does the explanation depend on the model?

use crate::statistics::spearman;
use crate::{About, Better, Case, Metric, Need, Reading};

/// The mean rank correlation (Spearman) of relevance with that in models whose parameters are
/// randomized from the top down: the model-parameter randomization test (Adebayo et al. 2018).
///
/// It should fall to about 0. A method that does not look at the model keeps 1. The curve has a point
/// for each of the stages of [`cascade`](crate::cascade).
#[derive(Clone, Copy, Debug)]
pub struct Mprt;

impl Metric for Mprt {
    fn about(&self) -> About {
        About::new(
            "mprt",
            "rank correlation with relevance in models whose parameters are randomized from \
             the top down",
            Better::Lower,
        )
        .needing(Need::Randomized)
    }

    fn read(&self, case: &Case, _: &[&[f32]]) -> Option<Reading> {
        let stages = case.randomized.iter();
        let curve = stages.map(|randomized| spearman(case.relevance, randomized));
        let curve = curve.collect::<Option<Vec<f64>>>()?;
        let value = curve.iter().sum::<f64>() / curve.len() as f64;
        Some(Reading { value, curve })
    }
}
