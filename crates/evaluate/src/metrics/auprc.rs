//! AUPRC: is the evidence on top, wherever the cut is made?

use super::shared::evidence::ranked;
use crate::{About, Better, Case, Metric, Need, Reading};

/// The area under the curve of precision over recall, as average precision (DeYoung et al. 2020, ERASER).
///
/// ```text
/// sum over cuts k of (recall_k - recall_{k-1}) * precision_k
/// ```
///
/// Words of equal relevance are taken together, so that their order in the text decides nothing.
#[derive(Clone, Copy, Debug)]
pub struct Auprc;

impl Metric for Auprc {
    fn about(&self) -> About {
        About::new(
            "auprc",
            "area under precision over recall of the evidence",
            Better::Higher,
        )
        .needing(Need::Evidence)
    }

    fn read(&self, case: &Case, _: &[&[f32]]) -> Option<Reading> {
        let words = ranked(case)?;
        let all = words.iter().filter(|word| word.evidence).count() as f64;
        let (mut seen, mut found, mut area) = (0.0, 0.0, 0.0);
        for equal in words.chunk_by(|a, b| a.relevance == b.relevance) {
            let more = equal.iter().filter(|word| word.evidence).count() as f64;
            seen += equal.len() as f64;
            found += more;
            area += more / all * found / seen;
        }
        Some(area.into())
    }
}
