//! SRG: how far apart are the two orders?

use super::{Lerf, Morf};
use crate::curve::{STEPS, area_under};
use crate::{About, Better, Case, Metric, Reading, View};

/// The symmetric relevance gain: [`Lerf`] minus [`Morf`] (Blücher et al. 2024). Of the measures by
/// perturbation it depends least on how tokens are hidden.
#[derive(Clone, Copy, Debug)]
pub struct Srg;

impl Metric for Srg {
    fn about(&self) -> About {
        About::new(
            "srg",
            "symmetric relevance gain: lerf minus morf",
            Better::Higher,
        )
    }

    fn views(&self, case: &Case) -> Vec<View> {
        [Lerf.views(case), Morf.views(case)].concat()
    }

    fn read(&self, case: &Case, logits: &[&[f32]]) -> Option<Reading> {
        let (least, most) = logits.split_at(STEPS);
        let least = Lerf.read(case, least)?.curve;
        let most = Morf.read(case, most)?.curve;
        let gain = least.iter().zip(most).map(|(least, most)| least - most);
        Some(area_under(gain.collect()))
    }
}
