//! The tokens that ERASER's metrics take for the explanation.

use crate::evaluate::Case;
use crate::evaluate::curve::{Scope, highest};

/// The sizes of a rationale, as fractions of the text's tokens.
pub(super) const FRACTIONS: [f64; 5] = [0.01, 0.05, 0.1, 0.2, 0.5];

/// The places of the text's most relevant tokens: a fraction of them, rounded up.
pub(super) fn rationale(case: &Case, fraction: f64) -> Vec<usize> {
    let mut order = Scope::Text.order(&case.sample.text, case.relevance, highest);
    order.truncate((fraction * order.len() as f64).ceil() as usize);
    order
}
