//! Precision at k: how many of the first words are evidence?

use super::evidence::ranked;
use crate::{Better, Case, Metric, Need, Reading};

/// The share of the k most relevant words that are evidence. A text of fewer words has none.
#[derive(Clone, Copy, Debug)]
pub struct Precision(pub usize);

impl Metric for Precision {
    fn name(&self) -> String {
        format!("precision@{}", self.0)
    }

    fn about(&self) -> &'static str {
        "share of evidence among the first k words"
    }

    fn better(&self) -> Better {
        Better::Higher
    }

    fn need(&self) -> Option<Need> {
        Some(Need::Evidence)
    }

    fn read(&self, case: &Case, _: &[&[f32]]) -> Option<Reading> {
        let words = ranked(case)?;
        let first = words.get(..self.0)?;
        let found = first.iter().filter(|word| word.evidence).count();
        Some((found as f64 / self.0 as f64).into())
    }
}
