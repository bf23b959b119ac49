//! The log-probability of an answer while the prompt is hidden, as FlashTrace (arXiv 2602.01914) measures it.

use crate::curve::{Scope, hide, highest};
use crate::{Case, View};

/// Into how many groups the tokens of the prompt are cut.
const STEPS: usize = 20;

/// The prompt's own tokens in groups, those of the highest relevance first; the first groups are larger by one
/// where they cannot be equal. A short prompt has a group for each token.
fn groups(case: &Case) -> Vec<Vec<usize>> {
    let order = Scope::Text.order(case, highest);
    let steps = STEPS.min(order.len()).max(1);
    let (size, larger) = (order.len() / steps, order.len() % steps);
    let mut left = order.as_slice();
    let group = |step: usize| {
        let (group, rest) = left.split_at(size + usize::from(step < larger));
        left = rest;
        group.to_vec()
    };
    (0..steps).map(group).collect()
}

/// The whole text, and the text with one group more hidden at each step.
pub(in crate::metrics) fn views(case: &Case) -> Vec<View> {
    let mut hidden: Vec<usize> = Vec::new();
    let step = |group: Vec<usize>| {
        hidden.extend(group);
        hide(&case.sample.text, &hidden)
    };
    let whole = [View::whole(&case.sample.text)];
    whole
        .into_iter()
        .chain(groups(case).into_iter().map(step))
        .collect()
}

/// What is left of the log-probability at each step: 1 for the whole prompt, 0 for none of it, and never more
/// than before. None if the answer has no probability, or if the prompt makes no difference to it.
///
/// ```text
/// r_i = min over j <= i of clip((s_j - s_last) / |s_0 - s_last|, 0, 1)
/// ```
pub(in crate::metrics) fn response(case: &Case, logits: &[&[f32]]) -> Option<Vec<f64>> {
    let scores = logits.iter().map(|logits| case.log_probability(logits));
    let scores: Vec<f64> = scores.collect::<Option<_>>()?;
    let (first, last) = (*scores.first()?, *scores.last()?);
    if first == last {
        return None;
    }
    let mut least = 1.0_f64;
    let left = scores.iter().map(|score| {
        let share = (score - last) / (first - last).abs();
        least = least.min(share.clamp(0.0, 1.0));
        least
    });
    Some(left.collect())
}

/// What is left of the relevance at each step: 1 less the share of the tokens that are hidden. Where the sum of
/// relevance is not above 0, it falls evenly.
pub(in crate::metrics) fn density(case: &Case) -> Vec<f64> {
    let groups = groups(case);
    let relevance = |place: &usize| f64::from(case.relevance[*place]);
    let of_group = |group: &Vec<usize>| group.iter().map(relevance).sum::<f64>();
    let all: f64 = groups.iter().map(of_group).sum();
    let steps = groups.len() as f64;
    let mut left = 1.0;
    let fall = groups.iter().map(|group| {
        left -= match all > 0.0 {
            true => of_group(group) / all,
            false => steps.recip(),
        };
        left
    });
    std::iter::once(1.0).chain(fall).collect()
}
