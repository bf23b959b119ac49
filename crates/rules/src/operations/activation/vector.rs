//! Activations on the CPU, many numbers at a time.

use burn::backend::Flex;
use burn::tensor::{DType, Tensor};
use relprop_kernels::{Gated, Part};

use super::Activation;
use crate::flex;

impl Activation {
    /// `part` of the activation at `z`, outside autodiff. None where no kernel can do it: on another
    /// device, in another type, of another activation.
    pub(super) fn kernel(&self, part: Part, z: &Tensor<3>) -> Option<Tensor<3>> {
        let gated = match self {
            Self::Gelu => Gated::Gelu,
            Self::GeluTanh => Gated::GeluTanh,
            Self::Silu => Gated::Silu,
            Self::Relu | Self::Tanh => return None,
        };
        let numbers = flex::numbers(z).filter(|numbers| numbers.dtype() == DType::F32)?;
        let values = gated.of(part, flex::slice(&numbers));
        Some(Tensor::from_primitive::<Flex>(flex::like(values, &numbers)))
    }
}
