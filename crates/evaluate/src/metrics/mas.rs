//! MAS: is relevance as large as its effect?

use super::shared::steps::{density, response, views};
use crate::curve::area;
use crate::{About, Better, Case, Metric, Reading, View};

/// The area of [`Rise`](super::Rise), with a penalty where the share of relevance that is left differs from the
/// share of log-probability that is left (magnitude aligned scoring; Walker et al. 2024, and FlashTrace, arXiv
/// 2602.01914).
///
/// ```text
/// c_i = r_i + |r_i - d_i|, at most 1,    d_i = 1 - sum of hidden R / sum of R
/// ```
///
/// The curve is stretched to [0, 1]. It takes relevance for shares of a whole, which counts against methods with
/// relevance of both signs.
#[derive(Clone, Copy, Debug)]
pub struct Mas;

impl Metric for Mas {
    fn about(&self) -> About {
        About::new(
            "mas",
            "as rise, with a penalty where relevance and its effect fall differently",
            Better::Lower,
        )
    }

    fn views(&self, case: &Case) -> Vec<View> {
        views(case)
    }

    fn read(&self, case: &Case, logits: &[&[f32]]) -> Option<Reading> {
        let response = response(case, logits)?;
        let both = response.iter().zip(density(case));
        let curve = both.map(|(left, density)| (left + (left - density).abs()).clamp(0.0, 1.0));
        let curve: Vec<f64> = curve.collect();
        let lowest = curve.iter().copied().fold(f64::INFINITY, f64::min);
        let highest = curve.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let stretch = |point: f64| (point - lowest) / (highest - lowest);
        let stretched: Vec<f64> = curve.into_iter().map(stretch).collect();
        (highest > lowest).then(|| area(&stretched).into())
    }
}
