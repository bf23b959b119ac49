//! Scores of contents against positions.

pub mod law;

use burn::tensor::{Int, Tensor};

use crate::Operation;

/// How much each query asks for keys at each distance, or each key for queries (disentangled attention, He et
/// al. 2021, DeBERTa):
///
/// ```text
/// y_ij = scale * (x_i . p_b(i, j))
/// ```
///
/// The vectors p of distances are constants, so that it is linear in x without a bias: its plain gradient
/// conserves.
#[derive(Clone, Debug)]
pub struct PositionScores {
    /// p, the vector of each bucket of distances, `[1, head, bucket, feature]`.
    pub positions: Tensor<4>,
    /// b, the bucket of each pair, `[1, 1, position, other position]`.
    pub buckets: Tensor<4, Int>,
    /// What the product is multiplied by.
    pub scale: f64,
}

impl Operation for PositionScores {
    const NAME: &'static str = "position-scores";
    const ABSORBS: &'static str = "position scores";
    /// Queries or keys, `[batch, head, position, feature]`.
    type Input = Tensor<4>;
    /// `[batch, head, position, other position]`.
    type Output = Tensor<4>;

    fn forward(&self, x: Self::Input) -> Self::Output {
        let [batch, heads, tokens, _] = x.dims();
        let [_, _, buckets, features] = self.positions.dims();
        let positions = self.positions.clone().swap_dims(2, 3);
        let positions = positions.expand([batch, heads, features, buckets]);
        let by_bucket = x.matmul(positions) * self.scale;
        let [_, _, _, others] = self.buckets.dims();
        let pairs = self.buckets.clone().expand([batch, heads, tokens, others]);
        by_bucket.gather(3, pairs)
    }
}
