//! The pointing game: is the most relevant word evidence?

use super::shared::evidence::ranked;
use crate::{About, Better, Case, Metric, Need, Reading};

/// 1 if the word of the highest relevance is evidence, 0 if not (Zhang et al. 2018; for text, Poerner
/// et al. 2018). Its mean is the share of texts where it is.
#[derive(Clone, Copy, Debug)]
pub struct PointingGame;

impl Metric for PointingGame {
    fn about(&self) -> About {
        About::new(
            "pointing-game",
            "share of texts whose most relevant word is evidence",
            Better::Higher,
        )
        .needing(Need::Evidence)
    }

    fn read(&self, case: &Case, _: &[&[f32]]) -> Option<Reading> {
        let words = ranked(case)?;
        Some(f64::from(u8::from(words[0].evidence)).into())
    }
}
