//! The gamma rule as Ali et al. 2022 used it.

use burn::tensor::Tensor;
use serde::Deserialize;

use super::Gamma;
use crate::algebra::{quotient, surrogate};
use crate::operations::Linear;
use crate::{Operation, Rule, RuleError};

/// Favors positive weights (LRP-gamma in its first form; Montavon et al. 2019).
///
/// ```text
/// R(x_i) = sum_j  x_i (W_ij + gamma W_ij^+) / g_j  * R(z_j)
/// g_j    = sum_i x_i (W_ij + gamma W_ij^+) + b_j + gamma b_j^+
/// ```
///
/// It was made for inputs that are not negative. Ali et al. 2022 use it, with a small gamma, on the
/// linear maps of attention, whose inputs have either sign: where g_j comes near zero the relevance
/// is large, and where it is zero the relevance is dropped. [`Gamma`] has no such places. The bias
/// absorbs its share of g_j.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(transparent)]
pub struct GammaPositive(Gamma);

impl GammaPositive {
    /// The rule with this `gamma`, a number not below 0.
    ///
    /// # Errors
    ///
    /// [`RuleError::Parameter`] if it is not finite, or below 0.
    pub fn new(gamma: f64) -> Result<Self, RuleError> {
        Gamma::new(gamma).map(Self)
    }
}

impl Rule<Linear> for GammaPositive {
    fn apply(&self, linear: &Linear, x: Tensor<3>) -> Tensor<3> {
        let gamma = self.0.value();
        let Linear { weight, bias } = linear.widened();
        let favored = Linear {
            weight: weight.clone() + weight.clamp_min(0.0) * gamma,
            bias: bias.map(|b| b.clone() + b.clamp_min(0.0) * gamma),
        };
        let value = linear.forward(x.clone()).detach();
        let g = favored.forward(x);
        let slope = quotient(&value, &g);
        surrogate(value, g, slope)
    }
}
