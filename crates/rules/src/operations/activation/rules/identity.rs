//! The identity rule for activations.

use burn::tensor::Tensor;
use serde::Deserialize;

use crate::operations::Activation;
use crate::{Operation, Rule, algebra::surrogate};

/// Passes relevance through an activation unchanged (LRP's identity rule; AttnLRP, equation 9).
///
/// ```text
/// R(z) = R(y),    y = phi(z) = z * (phi(z) / z) with the quotient as a constant
/// ```
///
/// It conserves exactly. The plain gradient loses phi(z) - z phi'(z) times the gradient instead.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {}

impl Rule<Activation> for Identity {
    fn apply(&self, phi: &Activation, z: Tensor<3>) -> Tensor<3> {
        let value = phi.forward(z.clone().without_autodiff());
        let quotient = phi.quotient(z.clone());
        surrogate(value, z, quotient)
    }
}
