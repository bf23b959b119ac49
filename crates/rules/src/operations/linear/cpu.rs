//! A linear map on the CPU.

use burn::backend::{Flex, flex::FlexTensor};
use burn::tensor::{DType, Tensor};
use relprop_kernels::{linear, linear_backward};

use super::Linear;
use crate::flex;

impl Linear {
    /// The map of `rows`, `[row, input]`, by one kernel that adds the bias as it multiplies. None
    /// on another device, for another type than f32, while the weights are being trained, or if
    /// they are a transposed view.
    pub(super) fn fused(&self, rows: &Tensor<2>) -> Option<Tensor<2>> {
        let trained =
            self.weight.is_tracked() || self.bias.as_ref().is_some_and(Tensor::is_tracked);
        if trained || rows.dtype() != DType::F32 {
            return None;
        }
        let weight = flex::primitive(&self.weight).filter(FlexTensor::is_contiguous)?;
        let [input, output] = self.weight.dims();
        let bias = match &self.bias {
            Some(bias) => flex::term(bias)?,
            None => vec![0.0; output],
        };
        let x = flex::numbers(rows)?;
        let z = linear(flex::slice(&x), flex::slice(&weight), &bias);
        let count = rows.dims()[0];
        let z = flex::shaped(z, [count, output]);
        let z = Tensor::from_primitive::<Flex>(z);
        if !rows.is_tracked() {
            return Some(z);
        }
        flex::node(&z, rows.clone(), move |gradient| {
            let gradient = gradient.to_contiguous();
            let back = linear_backward(flex::slice(&gradient), flex::slice(&weight), output);
            flex::shaped(back, [count, input])
        })
    }
}
