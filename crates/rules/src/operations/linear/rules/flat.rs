//! The flat rule for linear maps.

use burn::tensor::Tensor;
use serde::Deserialize;

use super::w_squared::shared_by;
use crate::Rule;
use crate::operations::Linear;

/// Shares relevance evenly among all inputs (the flat rule; Lapuschkin et al. 2019).
///
/// ```text
/// R(x_i) = sum_j  1 / N  * R(z_j)
/// ```
///
/// It conserves like [`WSquared`](super::WSquared).
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flat {}

impl Rule<Linear> for Flat {
    fn apply(&self, linear: &Linear, x: Tensor<3>) -> Tensor<3> {
        shared_by(linear, linear.widened().weight.ones_like(), x)
    }
}
