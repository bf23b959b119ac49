//! The epsilon rule for linear maps.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::algebra::{Stabilizer, surrogate};
use crate::operations::Linear;
use crate::{Operation, Rule, RuleError};

/// Takes a little relevance from every output, most from those near zero (LRP-epsilon; Bach et al.
/// 2015).
///
/// ```text
/// R(x_i) = sum_j  x_i W_ij / (z_j + epsilon sign(z_j))  * R(z_j)
/// ```
///
/// Of R(z_j) the share (b_j + epsilon sign(z_j)) / (z_j + epsilon sign(z_j)) is absorbed.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "Parameters")]
pub struct Epsilon(Stabilizer);

/// The parameters in a rule set.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parameters {
    epsilon: f64,
}

impl TryFrom<Parameters> for Epsilon {
    type Error = RuleError;

    fn try_from(parameters: Parameters) -> Result<Self, RuleError> {
        Self::new(parameters.epsilon)
    }
}

impl Epsilon {
    /// The rule with this `epsilon`, a number above 0.
    ///
    /// # Errors
    ///
    /// [`RuleError::Parameter`] if it is not finite and above 0.
    pub fn new(epsilon: f64) -> Result<Self, RuleError> {
        Stabilizer::new(epsilon).map(Self)
    }
}

impl Rule<Linear> for Epsilon {
    fn apply(&self, linear: &Linear, x: Tensor<3>) -> Tensor<3> {
        let z = linear.forward(x);
        let value = z.clone().detach();
        let slope = value.clone() / self.0.apply(value.clone());
        surrogate(value, z, slope)
    }
}
