//! Intersection over union: how much of the first words and the evidence is both?

use super::shared::evidence::{Among, among_first, first_words};
use crate::{About, Better, Case, Metric, Need, Reading};

/// The words that are both among the k most relevant and evidence, as a share of those that are either (DeYoung
/// et al. 2020, ERASER, over words). A text of fewer words has no number.
#[derive(Clone, Copy, Debug)]
pub struct Iou(pub usize);

impl Metric for Iou {
    fn about(&self) -> About {
        About::new(
            format!("iou@{}", self.0),
            "intersection over union of the first k words and the evidence",
            Better::Higher,
        )
        .needing(Need::Evidence)
    }

    fn variant(&self, name: &str) -> Option<Box<dyn Metric>> {
        let count = first_words(name, "iou@")?;
        Some(Box::new(Self(count)))
    }

    fn read(&self, case: &Case, _: &[&[f32]]) -> Option<Reading> {
        let Among { found, evidence } = among_first(case, self.0)?;
        Some((found as f64 / (self.0 + evidence - found) as f64).into())
    }
}
