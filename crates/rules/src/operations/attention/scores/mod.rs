//! The attention scores.

#[cfg(feature = "flex")]
mod cpu;
pub mod law;

use burn::tensor::Tensor;

use crate::Operation;

/// How well each query fits each key: q_ij = scale * (query_j . key_i).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AttentionScores {
    /// The factor: 1 / sqrt(feature) in most models, 1 in the paper's own.
    pub scale: f64,
}

impl Operation for AttentionScores {
    const NAME: &'static str = "attention-scores";
    const ABSORBS: &'static str = "product";
    /// Queries `[batch, head, query, feature]` and keys `[batch, head, key, feature]`.
    type Input = (Tensor<4>, Tensor<4>);
    /// `[batch, head, query, key]`.
    type Output = Tensor<4>;

    fn forward(&self, (query, key): Self::Input) -> Self::Output {
        #[cfg(feature = "flex")]
        if let Some(scores) = self.fused(&query, &key) {
            return scores;
        }
        (query * self.scale).matmul(key.swap_dims(2, 3))
    }
}
