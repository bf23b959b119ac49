//! Models whose weights are in f16 or bf16.
//!
//! Such weights take half the memory of f32, and a GPU multiplies by them faster. So a [linear
//! map](crate::operations::Linear) rounds its input to the type of its weights, multiplies, and
//! gives f32; on the CPU its input stays f32, and weights become f32 as they are multiplied, block by block. Everything else is computed in f32: sums, norms, softmax, activations, denominators
//! of rules, and relevance. In f16, 1 + 1e-6 would be 1, so a stabilizer would do nothing, and the
//! square of 300 would be infinite.

use burn::tensor::{DType, Tensor};

/// The same numbers, in f32 if their type has fewer digits.
pub fn widen<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    match x.dtype() {
        DType::F16 | DType::BF16 => x.cast(DType::F32),
        _ => x,
    }
}
