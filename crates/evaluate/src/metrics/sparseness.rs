//! Sparseness: on how few tokens does relevance lie?

use crate::{About, Better, Case, Metric, Reading};

/// The Gini index of absolute relevance (Chalasani et al. 2020): 0 if all tokens have the same, near 1
/// if one has it all.
///
/// ```text
/// sum_i (2 i - n - 1) a_i / (n sum_i a_i),    a_1 <= ... <= a_n the absolute relevance
/// ```
///
/// It says nothing about whether the tokens are the right ones.
#[derive(Clone, Copy, Debug)]
pub struct Sparseness;

impl Metric for Sparseness {
    fn about(&self) -> About {
        About::new(
            "sparseness",
            "Gini index of absolute relevance",
            Better::Neither,
        )
    }

    fn read(&self, case: &Case, _: &[&[f32]]) -> Option<Reading> {
        let sizes = case
            .relevance
            .iter()
            .map(|relevance| f64::from(relevance.abs()));
        let mut sizes: Vec<f64> = sizes.collect();
        sizes.sort_by(f64::total_cmp);
        let count = sizes.len() as f64;
        let all: f64 = sizes.iter().sum();
        let ranks = (1..=sizes.len()).map(|rank| 2.0 * rank as f64 - count - 1.0);
        let weighed: f64 = ranks.zip(&sizes).map(|(rank, size)| rank * size).sum();
        (all > 0.0 && all.is_finite()).then(|| (weighed / (count * all)).into())
    }
}
