//! Activations on the CPU, many numbers at a time.

use burn::backend::{Flex, flex::FlexTensor};
use burn::tensor::{DType, Tensor};
use relprop_kernels::{Gated, Part};

use super::Activation;
use crate::flex;

impl Activation {
    /// `part` of the activation at `z`, outside autodiff. None where no kernel can do it: on another
    /// device, in another type, of another activation.
    pub(super) fn kernel(&self, part: Part, z: &Tensor<3>) -> Option<Tensor<3>> {
        let (gated, numbers) = self.gated(z)?;
        let values = gated.of(part, flex::slice(&numbers));
        Some(Tensor::from_primitive::<Flex>(flex::like(values, &numbers)))
    }

    /// The value at `z` and the slope there, as [`Activation::kernel`].
    pub(super) fn kernel_with_slope(&self, z: &Tensor<3>) -> Option<(Tensor<3>, Tensor<3>)> {
        let (gated, numbers) = self.gated(z)?;
        let (value, slope) = gated.with_slope(flex::slice(&numbers));
        let tensor = |values| Tensor::from_primitive::<Flex>(flex::like(values, &numbers));
        Some((tensor(value), tensor(slope)))
    }

    fn gated(&self, z: &Tensor<3>) -> Option<(Gated, FlexTensor)> {
        let gated = match self {
            Self::Gelu => Gated::Gelu,
            Self::GeluTanh => Gated::GeluTanh,
            Self::Silu => Gated::Silu,
            Self::Relu | Self::Tanh => return None,
        };
        let numbers = flex::numbers(z).filter(|numbers| numbers.dtype() == DType::F32)?;
        Some((gated, numbers))
    }
}
