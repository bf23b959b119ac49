//! The way back through a linear map on the CPU.

use burn::backend::{Flex, TensorMetadata, flex::FlexTensor, ops::FloatTensorOps};
use burn::tensor::{DType, Tensor, module::linear};
use relprop_kernels::transpose;

use super::Linear;
use crate::flex;

/// A product with up to so many columns makes its right factor ready on one core. If that factor lies
/// column by column, as weights do on the way back, this takes longer than to turn it first on all cores.
const COLUMNS: usize = 1024;

impl Linear {
    /// The map of `rows`, `[row, input]`, with a node of its own. None where Burn's serves as well: on
    /// another device, in another type, if nothing flows back, or if something flows to the weights.
    pub(super) fn kernel(&self, rows: &Tensor<2>) -> Option<Tensor<2>> {
        let [_, input] = rows.dims();
        let trained =
            self.weight.is_tracked() || self.bias.as_ref().is_some_and(Tensor::is_tracked);
        if !rows.is_tracked() || trained || input > COLUMNS || rows.dtype() != DType::F32 {
            return None;
        }
        let weight = flex::primitive(&self.weight).filter(FlexTensor::is_contiguous)?;
        let constant = |x: &Tensor<1>| x.clone().without_autodiff();
        let z = linear(
            rows.clone().without_autodiff(),
            self.weight.clone().without_autodiff(),
            self.bias.as_ref().map(constant),
        );
        flex::node(&z, rows.clone(), move |gradient| {
            Flex::float_matmul(gradient, turned(&weight))
        })
    }
}

/// `[input, output]` to `[output, input]`, in memory as well.
fn turned(weight: &FlexTensor) -> FlexTensor {
    let [input, output] = TensorMetadata::shape(weight).dims();
    let numbers = transpose(flex::slice(weight), output);
    flex::shaped(numbers, [output, input])
}
