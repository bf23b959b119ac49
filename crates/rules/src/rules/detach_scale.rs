//! The LN-rule for normalisation.

use burn::tensor::Tensor;
use serde::Deserialize;

use crate::Rule;
use crate::operations::{Constant, Norm};

/// Takes the scale of a norm as a constant (Ali et al. 2022, the LN-rule).
///
/// ```text
/// R(x_i) = sum_j  x_i C_ij / (sum_i' x_i' C_i'j)  * R(y_j),    C = I - 1/N
/// ```
///
/// The mean stays in the graph: centring is linear, and detaching it too would lose relevance.
/// Without a shift beta this conserves exactly; beta absorbs beta_j * df/dy_j.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DetachScale {}

impl Rule<Norm> for DetachScale {
    fn apply(&self, norm: &Norm, x: Tensor<3>) -> Tensor<3> {
        if let Some(y) = norm.at_once(&x, Constant::Scale) {
            return y;
        }
        let centred = norm.centre(x);
        let scale = norm.scale(centred.clone().detach());
        norm.affine(centred * scale)
    }
}
