//! The LN-rule for normalization.

use burn::tensor::Tensor;
use serde::Deserialize;

use crate::Rule;
use crate::operations::{Held, Norm};

/// Takes the scale of a norm as a constant (Ali et al. 2022, the LN-rule).
///
/// ```text
/// R(x_i) = sum_j  x_i C_ij / (sum_i' x_i' C_i'j)  * R(y_j),    C = I - 1/N
/// ```
///
/// The mean stays in the graph: centering is linear, and detaching it too would lose relevance.
/// Without a shift beta this conserves exactly; beta absorbs beta_j * df/dy_j.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DetachScale {}

impl Rule<Norm> for DetachScale {
    fn apply(&self, norm: &Norm, x: Tensor<3>) -> Tensor<3> {
        let held = Held {
            mean: false,
            scale: true,
        };
        norm.holding(x, held)
    }
}
