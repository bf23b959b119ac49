//! Activations on the CPU, many numbers at a time.

use burn::tensor::{DType, Device, Tensor, TensorData};
use relprop_kernels::{Gated, Part};

use super::Activation;

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
        if z.dtype() != DType::F32 || z.device() != Device::flex() {
            return None;
        }
        let device = z.device().without_autodiff();
        let data = z.clone().without_autodiff().into_data();
        let numbers = gated.of(part, data.as_slice().ok()?);
        Some(Tensor::from_data(
            TensorData::new(numbers, z.shape()),
            &device,
        ))
    }
}
