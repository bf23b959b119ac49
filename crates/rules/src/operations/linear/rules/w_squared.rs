//! The w^2 rule for linear maps.

use burn::tensor::Tensor;
use serde::Deserialize;

use crate::algebra::{quotient, surrogate};
use crate::operations::Linear;
use crate::{Operation, Rule};

/// Shares relevance by the squares of the weights (the w^2 rule; Montavon et al. 2017).
///
/// ```text
/// R(x_i) = sum_j  W_ij^2 / (sum_i' W_i'j^2)  * R(z_j)
/// ```
///
/// It conserves, and the bias gets nothing. The values of the inputs do not matter, except that an
/// input of exactly zero loses its share, because relevance is the input times a gradient.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WSquared {}

impl Rule<Linear> for WSquared {
    fn apply(&self, linear: &Linear, x: Tensor<3>) -> Tensor<3> {
        shared_by(linear, linear.widened().weight.square(), x)
    }
}

/// The value of `linear`, with a gradient under which its inputs share relevance in proportion to
/// `weights`, `[input, output]`.
pub(super) fn shared_by(linear: &Linear, weights: Tensor<2>, x: Tensor<3>) -> Tensor<3> {
    let value = linear.forward(x.clone()).detach();
    let shares = Linear {
        weight: weights,
        bias: None,
    };
    let ones = x.ones_like();
    let whole = shares.forward(ones.clone());
    // Inputs of 1 stand for x. Their gradient reaches x divided by x, so that x times it is the relevance of
    // an input of 1.
    let ones = surrogate(ones.clone(), x.clone(), quotient(&ones, &x));
    surrogate(
        value.clone(),
        shares.forward(ones),
        quotient(&value, &whole),
    )
}
