//! The ratio rule for residual sums.

use burn::tensor::Tensor;
use serde::Deserialize;

use crate::algebra::{quotient, surrogate};
use crate::operations::Residual;
use crate::{Operation, Rule};

/// Splits the relevance of a residual sum by the size of its two terms, whatever their sign (Otsuki
/// et al. 2024).
///
/// ```text
/// R(x) = |x| / (|x| + |b|) * R(y),    R(b) = |b| / (|x| + |b|) * R(y)
/// ```
///
/// It conserves, and no term ever gets more than the sum had. The plain gradient splits in
/// proportion, which is unbounded where the terms nearly cancel. Where a term is exactly zero, so is
/// its relevance.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ratio {}

impl Rule<Residual> for Ratio {
    fn apply(&self, sum: &Residual, (skip, branch): (Tensor<3>, Tensor<3>)) -> Tensor<3> {
        let value = sum.forward((skip.clone(), branch.clone())).detach();
        let [size_of_skip, size_of_branch] = [&skip, &branch].map(|x| x.clone().detach().abs());
        let both = size_of_skip.clone() + size_of_branch.clone();
        // R(x) = x * gradient, so the gradient is the share times y / x.
        let slope = |x: &Tensor<3>, size: Tensor<3>| quotient(&value, x) * quotient(&size, &both);
        let of_skip = slope(&skip, size_of_skip);
        let of_branch = slope(&branch, size_of_branch);
        let y = surrogate(value, skip, of_skip);
        y + (branch.clone() - branch.detach()) * of_branch
    }
}
