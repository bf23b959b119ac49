//! Models whose weights are in f16 or bf16.
//!
//! Weights of fewer digits than f32 take half the memory, and products with them are what a card
//! saves time on. So a [linear map](crate::operations::Linear) rounds its input to the type of its
//! weights, multiplies, and gives f32. Everything else is computed in f32: sums, norms, softmax,
//! activations, what rules divide by, and relevance. A stabilizer of 1e-6 would be nothing beside 1 in
//! f16, and the square of 300 is more than f16 has numbers for.

use burn::tensor::{DType, Tensor};

/// The same numbers, in f32 if they have fewer digits than that.
pub fn widen<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    match x.dtype() {
        DType::F16 | DType::BF16 => x.cast(DType::F32),
        _ => x,
    }
}
