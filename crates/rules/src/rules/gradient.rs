//! Gradient x Input: the rule that changes nothing.

use serde::Deserialize;

use crate::{Operation, Rule};

/// Keeps an operation's plain gradient.
///
/// ```text
/// R(x_i) = x_i * sum_j (dy_j / dx_i) * (df / dy_j)
/// ```
///
/// It conserves relevance where the operation is linear without a bias. It does not in attention
/// heads and in norms (Ali et al. 2022, section 3): a norm keeps only epsilon / (epsilon + Var(x))
/// of its relevance.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gradient {}

impl<O: Operation> Rule<O> for Gradient {
    fn apply(&self, operation: &O, input: O::Input) -> O::Output {
        operation.forward(input)
    }
}
