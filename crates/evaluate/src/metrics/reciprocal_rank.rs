//! Mean reciprocal rank: how far down is the first evidence?

use super::evidence::ranked;
use crate::{Better, Case, Metric, Need, Reading};

/// One over the rank of the most relevant word that is evidence (Arras et al. 2025).
#[derive(Clone, Copy, Debug)]
pub struct ReciprocalRank;

impl Metric for ReciprocalRank {
    fn name(&self) -> String {
        "reciprocal-rank".to_owned()
    }

    fn about(&self) -> &'static str {
        "one over the rank of the first word that is evidence"
    }

    fn better(&self) -> Better {
        Better::Higher
    }

    fn need(&self) -> Option<Need> {
        Some(Need::Evidence)
    }

    fn read(&self, case: &Case, _: &[&[f32]]) -> Option<Reading> {
        let words = ranked(case)?;
        let rank = 1 + words.iter().position(|word| word.evidence)?;
        Some((1.0 / rank as f64).into())
    }
}
