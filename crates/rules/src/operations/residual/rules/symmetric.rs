//! The symmetric rule for residual sums.

use burn::tensor::Tensor;
use serde::Deserialize;

use crate::algebra::{quotient, surrogate};
use crate::operations::Residual;
use crate::{Operation, Rule};

/// Gives half of the relevance of a residual sum to each of its terms.
///
/// ```text
/// R(x) = R(b) = R(y) / 2
/// ```
///
/// It conserves, except where a term is exactly zero: its half is lost, because relevance is the
/// term times a gradient.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Symmetric {}

impl Rule<Residual> for Symmetric {
    fn apply(&self, sum: &Residual, (skip, branch): (Tensor<3>, Tensor<3>)) -> Tensor<3> {
        let value = sum.forward((skip.clone(), branch.clone())).detach();
        let of_skip = quotient(&value, &skip) * 0.5;
        let of_branch = quotient(&value, &branch) * 0.5;
        let y = surrogate(value, skip, of_skip);
        y + (branch.clone() - branch.detach()) * of_branch
    }
}
