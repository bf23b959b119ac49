//! Relevance rank accuracy: is the evidence on top?

use super::evidence::ranked;
use crate::{Better, Case, Metric, Need, Reading};

/// The share of the K most relevant words that are evidence, where K is how many words are evidence
/// (Arras et al. 2022, CLEVR-XAI).
#[derive(Clone, Copy, Debug)]
pub struct RankAccuracy;

impl Metric for RankAccuracy {
    fn name(&self) -> String {
        "rank-accuracy".to_owned()
    }

    fn about(&self) -> &'static str {
        "share of evidence among as many of the most relevant words as there is evidence"
    }

    fn better(&self) -> Better {
        Better::Higher
    }

    fn need(&self) -> Option<Need> {
        Some(Need::Evidence)
    }

    fn read(&self, case: &Case, _: &[&[f32]]) -> Option<Reading> {
        let words = ranked(case)?;
        let all = words.iter().filter(|word| word.evidence).count();
        let found = words[..all].iter().filter(|word| word.evidence).count();
        Some((found as f64 / all as f64).into())
    }
}
