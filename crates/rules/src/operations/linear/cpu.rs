//! A linear map on the CPU.

use burn::backend::TensorMetadata;
use burn::backend::{Flex, flex::FlexTensor};
use burn::tensor::{DType, Tensor, bf16, f16};
use relprop_kernels::{linear, linear_backward, narrow_linear, narrow_linear_backward};

use super::Linear;
use crate::flex;

impl Linear {
    /// The map of `rows`, `[row, input]`, by one kernel that adds the bias as it multiplies. None
    /// on another device, for other rows than f32 and other weights than those that f32 holds, and while the weights
    /// are being trained.
    pub(super) fn fused(&self, rows: &Tensor<2>) -> Option<Tensor<2>> {
        let trained =
            self.weight.is_tracked() || self.bias.as_ref().is_some_and(Tensor::is_tracked);
        if trained || rows.dtype() != DType::F32 {
            return None;
        }
        let weights = Weights::of(&self.weight)?;
        let [input, output] = self.weight.dims();
        let bias = match &self.bias {
            Some(bias) => flex::term(bias)?,
            None => vec![0.0; output],
        };
        let x = flex::numbers(rows)?;
        let z = weights.forward(flex::slice(&x), &bias);
        let count = rows.dims()[0];
        let z = flex::shaped(z, [count, output]);
        let z = Tensor::from_primitive::<Flex>(z);
        if !rows.is_tracked() {
            return Some(z);
        }
        flex::node(&z, rows.clone(), move |gradient| {
            let gradient = gradient.to_contiguous();
            let back = weights.backward(flex::slice(&gradient), output);
            flex::shaped(back, [count, input])
        })
    }
}

/// The weights of a map, in the order in which they lie in memory.
struct Weights {
    /// Contiguous.
    numbers: FlexTensor,
    /// Whether they are `[output, input]`: the table of embeddings lies so, where a head is tied to it.
    turned: bool,
}

impl Weights {
    /// None on another device, of another type, and if they lie in no such order.
    fn of(weight: &Tensor<2>) -> Option<Self> {
        let numbers = flex::primitive(weight)?;
        if !matches!(numbers.dtype(), DType::F32 | DType::F16 | DType::BF16) {
            return None;
        }
        let turned = !numbers.is_contiguous();
        let numbers = match turned {
            true => numbers.transpose(0, 1),
            false => numbers,
        };
        numbers.is_contiguous().then_some(Self { numbers, turned })
    }

    fn forward(&self, x: &[f32], bias: &[f32]) -> Vec<f32> {
        if !self.turned {
            return self.along_rows(x, bias);
        }
        let input = self.numbers.shape().dims::<2>()[1];
        let mut z = self.against_rows(x, input);
        for row in z.chunks_exact_mut(bias.len()) {
            for (z, bias) in row.iter_mut().zip(bias) {
                *z += bias;
            }
        }
        z
    }

    fn backward(&self, gradient: &[f32], output: usize) -> Vec<f32> {
        if !self.turned {
            return self.against_rows(gradient, output);
        }
        self.along_rows(gradient, &vec![0.0; self.numbers.shape().dims::<2>()[1]])
    }

    /// For each row of `rows` the sum of the rows of weights, as they lie in memory, times its numbers, plus `bias`.
    fn along_rows(&self, rows: &[f32], bias: &[f32]) -> Vec<f32> {
        if let Some(weights) = self.numbers.as_slice::<f16>() {
            narrow_linear(rows, weights, bias)
        } else if let Some(weights) = self.numbers.as_slice::<bf16>() {
            narrow_linear(rows, weights, bias)
        } else {
            linear(rows, flex::slice(&self.numbers), bias)
        }
    }

    /// The product of each row of `rows`, which has `width` numbers, with each row of weights as they lie in memory.
    fn against_rows(&self, rows: &[f32], width: usize) -> Vec<f32> {
        if let Some(weights) = self.numbers.as_slice::<f16>() {
            narrow_linear_backward(rows, weights, width)
        } else if let Some(weights) = self.numbers.as_slice::<bf16>() {
            narrow_linear_backward(rows, weights, width)
        } else {
            linear_backward(rows, flex::slice(&self.numbers), width)
        }
    }
}
