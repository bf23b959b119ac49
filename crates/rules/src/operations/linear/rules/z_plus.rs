//! The z-plus rule for linear maps.

use burn::tensor::Tensor;
use serde::Deserialize;

use super::AlphaBeta;
use crate::Rule;
use crate::operations::Linear;

/// Gives relevance to positive contributions alone (the z+ rule; Montavon et al. 2017): the
/// [alpha-beta rule](AlphaBeta) with alpha = 1 and beta = 0.
///
/// ```text
/// R(x_i) = sum_j  (x_i W_ij)^+ / z_j^+  * R(z_j)
/// ```
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ZPlus {}

impl Rule<Linear> for ZPlus {
    fn apply(&self, linear: &Linear, x: Tensor<3>) -> Tensor<3> {
        AlphaBeta::positive_only().apply(linear, x)
    }
}
