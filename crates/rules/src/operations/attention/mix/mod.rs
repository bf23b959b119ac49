//! The mixing of values.

#[cfg(feature = "flex")]
mod cpu;
pub mod law;

use burn::tensor::Tensor;

use crate::Operation;

/// The mixture of values that each query takes: y_j = sum_i p_ij v_i.
#[derive(Clone, Copy, Debug)]
pub struct AttentionMix;

impl Operation for AttentionMix {
    const NAME: &'static str = "attention-mix";
    const ABSORBS: &'static str = "product";
    /// Weights `[batch, head, query, key]` and values `[batch, head, key, feature]`.
    type Input = (Tensor<4>, Tensor<4>);
    /// `[batch, head, query, feature]`.
    type Output = Tensor<4>;

    fn forward(&self, (weights, values): Self::Input) -> Self::Output {
        #[cfg(feature = "flex")]
        if let Some(mixed) = self.fused(&weights, &values) {
            return mixed;
        }
        weights.matmul(values)
    }
}
