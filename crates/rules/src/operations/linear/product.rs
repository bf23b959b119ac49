//! A linear map on the CPU.

use burn::backend::{Flex, flex::FlexTensor};
use burn::tensor::{DType, Tensor};
use relprop_kernels::{linear, linear_backward};

use super::Linear;
use crate::flex;

impl Linear {
    /// The map of `rows`, `[row, input]`. None where no kernel can do it: on another device, in another
    /// type, if something flows to the weights, or if they do not lie in rows.
    pub(super) fn kernel(&self, rows: &Tensor<2>) -> Option<Tensor<2>> {
        let trained =
            self.weight.is_tracked() || self.bias.as_ref().is_some_and(Tensor::is_tracked);
        if trained || rows.dtype() != DType::F32 {
            return None;
        }
        let weight = flex::primitive(&self.weight)
            .filter(|weight| weight.is_contiguous() && weight.dtype() == DType::F32)?;
        let [input, output] = self.weight.dims();
        let x = flex::numbers(rows)?;
        let z = match &self.bias {
            Some(bias) => {
                let bias = flex::numbers(bias).filter(|bias| bias.dtype() == DType::F32)?;
                linear(flex::slice(&x), flex::slice(&weight), flex::slice(&bias))
            }
            None => linear(flex::slice(&x), flex::slice(&weight), &vec![0.0; output]),
        };
        let count = rows.dims()[0];
        let z = flex::shaped(z, [count, output]);
        let z = Tensor::from_primitive::<Flex>(z);
        if !rows.is_tracked() {
            return Some(z);
        }
        flex::node(&z, rows.clone(), move |gradient| {
            let gradient: FlexTensor = gradient.to_contiguous();
            let back = linear_backward(flex::slice(&gradient), flex::slice(&weight), output);
            flex::shaped(back, [count, input])
        })
    }
}
