//! Relevance rank accuracy: is the evidence on top?

use super::shared::evidence::ranked;
use crate::{About, Better, Case, Metric, Need, Reading};

/// The share of the K most relevant words that are evidence, where K is how many words are evidence
/// (Arras et al. 2022, CLEVR-XAI).
#[derive(Clone, Copy, Debug)]
pub struct RankAccuracy;

impl Metric for RankAccuracy {
    fn about(&self) -> About {
        About::new(
            "rank-accuracy",
            "share of evidence among as many of the most relevant words as there is evidence",
            Better::Higher,
        )
        .needing(Need::Evidence)
    }

    fn read(&self, case: &Case, _: &[&[f32]]) -> Option<Reading> {
        let words = ranked(case)?;
        let all = words.iter().filter(|word| word.evidence).count();
        let found = words[..all].iter().filter(|word| word.evidence).count();
        Some((found as f64 / all as f64).into())
    }
}
