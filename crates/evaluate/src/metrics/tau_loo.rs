//! Tau against leave-one-out: does relevance rank tokens as their absence does?

use crate::curve::{Scope, hide, lowest};
use crate::statistics::kendall;
use crate::versions::losses;
use crate::{About, Better, Case, Metric, Reading, View};

/// Kendall's tau-b between relevance and leave-one-out, over the text's own tokens.
///
/// ```text
/// tau(R_i, p(label | x) - p(label | x with token i unknown))
/// ```
///
/// Jain and Wallace 2019 compare with leave-one-out; Attanasio et al. 2023 (ferret) score by it. A
/// text of one token, or of tokens that all matter alike, has no number.
#[derive(Clone, Copy, Debug)]
pub struct TauLoo;

impl TauLoo {
    /// The places of the text's own tokens, in order.
    fn places(case: &Case) -> Vec<usize> {
        let mut places = Scope::Text.order(case, lowest);
        places.sort_unstable();
        places
    }
}

impl Metric for TauLoo {
    fn about(&self) -> About {
        About::new(
            "tau-loo",
            "Kendall's tau with what the probability loses when one token is hidden",
            Better::Higher,
        )
    }

    fn views(&self, case: &Case) -> Vec<View> {
        let text = &case.sample.text;
        let without = Self::places(case)
            .into_iter()
            .map(|place| hide(text, &[place]));
        [View::whole(text)].into_iter().chain(without).collect()
    }

    fn read(&self, case: &Case, logits: &[&[f32]]) -> Option<Reading> {
        let lost = losses(case, logits)?;
        let relevance = Self::places(case)
            .into_iter()
            .map(|i| f64::from(case.relevance[i]));
        let tau = kendall(&relevance.collect::<Vec<_>>(), &lost);
        tau.map(Reading::from)
    }
}
