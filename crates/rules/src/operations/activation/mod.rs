//! Nonlinearities, applied to each number by itself.

#[cfg(feature = "flex")]
mod cpu;
pub mod law;
pub mod rules;

use std::f64::consts::TAU;

use burn::tensor::{Tensor, activation};
use serde::{Deserialize, Serialize};

use crate::{Operation, algebra::surrogate};

/// An elementwise nonlinearity y = phi(z), on `[batch, position, feature]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// z * Phi(z), with the exact normal distribution function.
    Gelu,
    /// The same with a hyperbolic tangent in place of the distribution function: GPT-2.
    GeluTanh,
    /// max(z, 0).
    Relu,
    /// z * sigmoid(z): Llama.
    Silu,
    /// z * sigmoid(1.702 z), which is near GELU: CLIP.
    QuickGelu,
    /// The hyperbolic tangent.
    Tanh,
    /// z, but no less than -1 and no more than 1.
    Clip,
    /// min(z, 1).
    ClipAbove,
}

/// The factor of z within the sigmoid of [`Activation::QuickGelu`].
const QUICK: f64 = 1.702;

impl Activation {
    /// Every activation.
    pub const ALL: [Self; 8] = [
        Self::Gelu,
        Self::GeluTanh,
        Self::Relu,
        Self::Silu,
        Self::QuickGelu,
        Self::Tanh,
        Self::Clip,
        Self::ClipAbove,
    ];

    /// phi(z) / z, continued to z = 0, as a constant.
    pub fn quotient(&self, z: Tensor<3>) -> Tensor<3> {
        let z = z.without_autodiff();
        #[cfg(feature = "flex")]
        if let Some(quotient) = self.fused_quotient(&z) {
            return quotient;
        }
        match self {
            Self::Gelu => (z / std::f64::consts::SQRT_2).erf() * 0.5 + 0.5,
            Self::GeluTanh => {
                // 1/2 (1 + tanh(sqrt(2/pi) (z + 0.044715 z^3)))
                let inner = z.clone() * (z.square() * 0.044715 + 1.0);
                (inner * std::f64::consts::FRAC_2_PI.sqrt()).tanh() * 0.5 + 0.5
            }
            Self::Silu => activation::sigmoid(z),
            Self::QuickGelu => activation::sigmoid(z * QUICK),
            Self::Relu => z.clone().greater_elem(0.0).float().cast(z.dtype()),
            Self::Tanh => {
                // Near 0 the division loses digits; the series does not.
                let near_zero = z.clone().abs().lower_elem(1e-3);
                let series = z.clone().square() * (-1.0 / 3.0) + 1.0;
                let divisor = z.clone().mask_fill(near_zero.clone(), 1.0);
                (activation::tanh(z) / divisor).mask_where(near_zero, series)
            }
            Self::Clip => z.abs().clamp_min(1.0).recip(),
            Self::ClipAbove => z.clamp_min(1.0).recip(),
        }
    }
}

impl Operation for Activation {
    const NAME: &'static str = "activation";
    const ABSORBS: &'static str = "activation";
    type Input = Tensor<3>;
    type Output = Tensor<3>;

    fn forward(&self, z: Tensor<3>) -> Tensor<3> {
        #[cfg(feature = "flex")]
        let z = match self.fused(z) {
            Ok(value) => return value,
            Err(z) => z,
        };
        match self {
            Self::Gelu if z.is_tracked() => {
                // Burn's `gelu` has the gradient of the tanh approximation on all devices but flex
                // (`ActivationOps::gelu_backward` of burn-backend 0.22.1), which is up to 9e-4 off.
                let constant = z.clone().without_autodiff();
                let density = (constant.clone().square() * -0.5).exp() / TAU.sqrt();
                let slope = self.quotient(z.clone()) + constant.clone() * density;
                surrogate(activation::gelu(constant), z, slope)
            }
            Self::Gelu => activation::gelu(z),
            Self::GeluTanh => activation::gelu_approximate(z),
            Self::Relu => activation::relu(z),
            Self::Silu => activation::silu(z),
            Self::QuickGelu => z.clone() * activation::sigmoid(z * QUICK),
            Self::Tanh => activation::tanh(z),
            Self::Clip => z.clamp(-1.0, 1.0),
            Self::ClipAbove => z.clamp_max(1.0),
        }
    }
}
