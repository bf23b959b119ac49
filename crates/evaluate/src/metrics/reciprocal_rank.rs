//! Mean reciprocal rank: how far down is the first evidence?

use super::shared::evidence::ranked;
use crate::{About, Better, Case, Metric, Need, Reading};

/// One over the rank of the most relevant word that is evidence (Arras et al. 2025).
#[derive(Clone, Copy, Debug)]
pub struct ReciprocalRank;

impl Metric for ReciprocalRank {
    fn about(&self) -> About {
        About::new(
            "reciprocal-rank",
            "one over the rank of the first word that is evidence",
            Better::Higher,
        )
        .needing(Need::Evidence)
    }

    fn read(&self, case: &Case, _: &[&[f32]]) -> Option<Reading> {
        let words = ranked(case)?;
        let rank = 1 + words.iter().position(|word| word.evidence)?;
        Some((1.0 / rank as f64).into())
    }
}
