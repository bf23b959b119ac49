//! An ablation of the LN-rule, in which the mean is a constant too.

use burn::tensor::Tensor;
use serde::Deserialize;

use crate::Rule;
use crate::operations::{Held, Norm};

/// Takes both the scale and the mean of a norm as constants: an ablation of the LN-rule.
///
/// ```text
/// R(x_i) = x_i / (x_i - mean(x)) * R(y_i)
/// ```
///
/// It does not conserve: the constant mean acts as a bias, and -mean(x) / (x_i - mean(x)) of R(y_i)
/// is absorbed. Ali et al. 2022 keep the mean in the graph for this reason.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DetachMoments {}

impl Rule<Norm> for DetachMoments {
    fn apply(&self, norm: &Norm, x: Tensor<3>) -> Tensor<3> {
        let held = Held {
            mean: true,
            scale: true,
        };
        norm.holding(x, held)
    }
}
