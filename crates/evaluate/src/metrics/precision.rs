//! Precision at k: how many of the first words are evidence?

use super::shared::evidence::{among_first, first_words};
use crate::{About, Better, Case, Metric, Need, Reading};

/// The share of the k most relevant words that are evidence. A text of fewer words has no number.
#[derive(Clone, Copy, Debug)]
pub struct Precision(pub usize);

impl Metric for Precision {
    fn about(&self) -> About {
        About::new(
            format!("precision@{}", self.0),
            "share of evidence among the first k words",
            Better::Higher,
        )
        .needing(Need::Evidence)
    }

    fn variant(&self, name: &str) -> Option<Box<dyn Metric>> {
        let count = first_words(name, "precision@")?;
        Some(Box::new(Self(count)))
    }

    fn read(&self, case: &Case, _: &[&[f32]]) -> Option<Reading> {
        let found = among_first(case, self.0)?.found;
        Some((found as f64 / self.0 as f64).into())
    }
}
