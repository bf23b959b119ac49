//! The rationale of ERASER's metrics: the tokens that stand for the explanation.

use crate::curve::{Scope, highest};
use crate::versions::losses;
use crate::{Case, Reading, View};

/// The sizes of a rationale, as fractions of the text's tokens.
const FRACTIONS: [f64; 5] = [0.01, 0.05, 0.1, 0.2, 0.5];

/// The places of the text's most relevant tokens: a fraction of them, rounded up.
fn rationale(case: &Case, fraction: f64) -> Vec<usize> {
    let mut order = Scope::Text.order(case, highest);
    order.truncate((fraction * order.len() as f64).ceil() as usize);
    order
}

/// The whole text, and its version for the rationale of each size.
pub(in crate::metrics) fn views(case: &Case, version: impl Fn(&[usize]) -> View) -> Vec<View> {
    let versions = FRACTIONS.map(|fraction| version(&rationale(case, fraction)));
    let whole = [View::whole(&case.sample.text)];
    whole.into_iter().chain(versions).collect()
}

/// What the probability of the true label loses in these versions, on average over sizes.
pub(in crate::metrics) fn mean_loss(case: &Case, logits: &[&[f32]]) -> Option<Reading> {
    let losses = losses(case, logits)?;
    Some((losses.iter().sum::<f64>() / losses.len() as f64).into())
}
