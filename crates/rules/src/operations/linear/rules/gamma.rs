//! The gamma rule for linear maps.

use burn::tensor::Tensor;
use serde::Deserialize;

use crate::algebra::{quotient, surrogate};
use crate::operations::linear::{Linear, signed_sums::SignedSums};
use crate::{Operation, Rule, RuleError};

/// Favors contributions that agree with the sign of the output (LRP-gamma; Montavon et al. 2019),
/// in its generalized form for inputs of either sign.
///
/// ```text
/// R(x_i) = sum_j  c_ij / g_j  * R(z_j),    c_ij = x_i W_ij + gamma * [x_i W_ij agrees with z_j] x_i W_ij
/// g_j    = sum_i c_ij + b_j + gamma * [b_j agrees with z_j] b_j
/// ```
///
/// "Agrees" means: has the same sign. The larger gamma, the less opposite contributions count; at 0
/// it is the plain gradient. The bias absorbs its share of g_j.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "Parameters")]
pub struct Gamma(f64);

/// The parameters in a rule set.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Parameters {
    gamma: f64,
}

impl TryFrom<Parameters> for Gamma {
    type Error = RuleError;

    fn try_from(parameters: Parameters) -> Result<Self, RuleError> {
        Self::new(parameters.gamma)
    }
}

impl Gamma {
    /// The rule with this `gamma`, a number not below 0.
    ///
    /// # Errors
    ///
    /// [`RuleError::Parameter`] if it is not finite, or below 0.
    pub fn new(gamma: f64) -> Result<Self, RuleError> {
        if gamma.is_finite() && gamma >= 0.0 {
            return Ok(Self(gamma));
        }
        Err(RuleError::Parameter {
            name: "gamma",
            value: gamma,
            range: "a finite number not below 0",
        })
    }
}

impl Gamma {
    pub(super) fn value(self) -> f64 {
        self.0
    }
}

impl Rule<Linear> for Gamma {
    fn apply(&self, linear: &Linear, x: Tensor<3>) -> Tensor<3> {
        let z = linear.forward(x.clone());
        let signs = SignedSums::of(linear, x);
        // The sum of c_ij if z_j is positive, and if it is negative.
        let agreeing = [signs.positive(), signs.negative()];
        let [up, down] = agreeing.map(|part| z.clone() + part * self.0);
        let value = z.detach();
        let is_down = value.clone().lower_elem(0.0);
        let slope_up = quotient(&value, &up).mask_fill(is_down.clone(), 0.0);
        let slope_down = quotient(&value, &down).mask_fill(is_down.bool_not(), 0.0);
        let y = surrogate(value, up, slope_up);
        // The second proxy adds its gradient to the first.
        y + (down.clone() - down.detach()) * slope_down
    }
}
