//! Relevance mass accuracy: how much relevance lies on the evidence?

use super::shared::evidence::{Word, ranked};
use crate::{About, Better, Case, Metric, Need, Reading};

/// The share of positive relevance that lies on evidence (Arras et al. 2022, CLEVR-XAI). Of a patch that is evidence in
/// part, its relevance counts by the share of its area. A text without positive relevance has no number.
///
/// ```text
/// sum over words of share max(R, 0) / sum over words of max(R, 0)
/// ```
#[derive(Clone, Copy, Debug)]
pub struct MassAccuracy;

impl Metric for MassAccuracy {
    fn about(&self) -> About {
        About::new(
            "mass-accuracy",
            "share of positive relevance that lies on evidence",
            Better::Higher,
        )
        .needing(Need::Evidence)
    }

    fn read(&self, case: &Case, _: &[&[f32]]) -> Option<Reading> {
        let words = ranked(case)?;
        let positive = |word: &Word| word.relevance.max(0.0);
        let all: f64 = words.iter().map(positive).sum();
        let found = words.iter().map(|word| word.share * positive(word));
        (all > 0.0).then(|| (found.sum::<f64>() / all).into())
    }
}
