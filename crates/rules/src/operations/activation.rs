//! Nonlinearities, applied to each number by itself.

use burn::tensor::{Tensor, activation};
use serde::{Deserialize, Serialize};

use crate::Operation;

/// An elementwise nonlinearity y = phi(z), on `[batch, position, feature]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// z * Phi(z), with the exact normal distribution function.
    Gelu,
    /// max(z, 0).
    Relu,
    /// The hyperbolic tangent.
    Tanh,
}

impl Operation for Activation {
    const NAME: &'static str = "activation";
    type Input = Tensor<3>;
    type Output = Tensor<3>;

    fn forward(&self, z: Tensor<3>) -> Tensor<3> {
        match self {
            Self::Gelu => activation::gelu(z),
            Self::Relu => activation::relu(z),
            Self::Tanh => activation::tanh(z),
        }
    }
}
