//! Token F1: do the first words and the evidence agree?

use super::shared::evidence::{Among, among_first, first_words};
use crate::{About, Better, Case, Metric, Need, Reading};

/// The harmonic mean of precision and recall of the k most relevant words (DeYoung et al. 2020, ERASER). A text
/// of fewer words has no number.
///
/// ```text
/// P = found / k,    R = found / evidence,    F1 = 2 P R / (P + R) = 2 found / (k + evidence)
/// ```
#[derive(Clone, Copy, Debug)]
pub struct TokenF1(pub usize);

impl Metric for TokenF1 {
    fn about(&self) -> About {
        About::new(
            format!("token-f1@{}", self.0),
            "precision and recall of the first k words, as one number",
            Better::Higher,
        )
        .needing(Need::Evidence)
    }

    fn variant(&self, name: &str) -> Option<Box<dyn Metric>> {
        let count = first_words(name, "token-f1@")?;
        Some(Box::new(Self(count)))
    }

    fn read(&self, case: &Case, _: &[&[f32]]) -> Option<Reading> {
        let Among { found, evidence } = among_first(case, self.0)?;
        Some((2.0 * found as f64 / (self.0 + evidence) as f64).into())
    }
}
