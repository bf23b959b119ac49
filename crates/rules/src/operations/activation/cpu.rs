//! Activations on the CPU, many numbers at a time.

use burn::backend::Flex;
use burn::tensor::{DType, Tensor};
use relprop_kernels::Gated;

use super::Activation;
use crate::flex;

impl Activation {
    /// The value in one pass, which computes the slope as well if autodiff tracks `z`. Returns `z`
    /// as an error on another device, for another type than f32, or for an activation without a
    /// kernel.
    #[expect(clippy::result_large_err, reason = "z goes back, not an error")]
    pub(super) fn fused(&self, z: Tensor<3>) -> Result<Tensor<3>, Tensor<3>> {
        let Some(gated) = self.gated(&z) else {
            return Err(z);
        };
        let tracked = z.is_tracked();
        let value = |z: &mut [f32]| match tracked {
            true => gated.value_and_slope(z),
            false => {
                gated.value(z);
                Vec::new()
            }
        };
        flex::in_place(z, value, |value, slope| {
            let slope = flex::like(slope, &value);
            move |gradient| flex::product(gradient, &slope)
        })
    }

    /// The [quotient](Activation::quotient) at `z`, outside autodiff. None where
    /// [`Activation::fused`] returns `z`.
    pub(super) fn fused_quotient(&self, z: &Tensor<3>) -> Option<Tensor<3>> {
        let gated = self.gated(z)?;
        let numbers = flex::numbers(z)?;
        let quotient = gated.quotient(flex::slice(&numbers));
        Some(Tensor::from_primitive::<Flex>(flex::like(
            quotient, &numbers,
        )))
    }

    fn gated(&self, z: &Tensor<3>) -> Option<Gated> {
        let gated = match self {
            Self::Gelu => Gated::Gelu,
            Self::GeluTanh => Gated::GeluTanh,
            Self::Silu => Gated::Silu,
            Self::QuickGelu => Gated::QuickGelu,
            Self::Tanh => Gated::Tanh,
            Self::Relu | Self::Clip | Self::ClipAbove => return None,
        };
        (z.dtype() == DType::F32).then_some(gated)
    }
}
