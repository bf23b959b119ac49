//! Model-parameter randomisation: does the explanation depend on the model?

use crate::statistics::spearman;
use crate::{Better, Case, Metric, Need, Reading};

/// The mean rank correlation (Spearman) of relevance with that in models whose parameters are
/// randomised from the top down: the model-parameter randomisation test (Adebayo et al. 2018).
///
/// It should fall to about 0. A method that does not look at the model keeps 1. The curve has a point
/// for each of the stages of [`cascade`](crate::evaluate::cascade).
#[derive(Clone, Copy, Debug)]
pub struct Mprt;

impl Metric for Mprt {
    fn name(&self) -> String {
        "mprt".to_owned()
    }

    fn about(&self) -> &'static str {
        "rank correlation with relevance in models whose parameters are randomised from the top down"
    }

    fn better(&self) -> Better {
        Better::Lower
    }

    fn need(&self) -> Option<Need> {
        Some(Need::Randomised)
    }

    fn read(&self, case: &Case, _: &[&[f32]]) -> Option<Reading> {
        let stages = case.randomised.iter();
        let curve = stages.map(|randomised| spearman(case.relevance, randomised));
        let curve = curve.collect::<Option<Vec<f64>>>()?;
        let value = curve.iter().sum::<f64>() / curve.len() as f64;
        Some(Reading { value, curve })
    }
}
