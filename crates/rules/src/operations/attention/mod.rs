//! The three steps of an attention head: scores, weights, mixing of values.

#[cfg(feature = "flex")]
mod vector;

use burn::tensor::{Bool, Tensor, activation::softmax};

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
        if let Some(scores) = self.kernel(&query, &key) {
            return scores;
        }
        (query * self.scale).matmul(key.swap_dims(2, 3))
    }
}

/// What each query takes of each key: p_j = softmax(q_j), over the keys that are no padding.
#[derive(Clone, Debug)]
pub struct AttentionWeights {
    /// True where a key must not be looked at, `[batch, 1, 1 or query, key]`.
    pub hidden: Option<Tensor<4, Bool>>,
}

impl Operation for AttentionWeights {
    const NAME: &'static str = "attention-weights";
    const ABSORBS: &'static str = "softmax";
    /// Scores `[batch, head, query, key]`.
    type Input = Tensor<4>;
    /// `[batch, head, query, key]`; exactly zero at hidden keys; each query's weights sum to 1.
    type Output = Tensor<4>;

    fn forward(&self, scores: Self::Input) -> Self::Output {
        #[cfg(feature = "flex")]
        let scores = match self.kernel(scores) {
            Ok(weights) => return weights,
            Err(scores) => scores,
        };
        let scores = match &self.hidden {
            None => scores,
            Some(hidden) => {
                // So low that its exponential is exactly zero, and still finite: a row of nothing
                // but padding gives numbers, not NaN.
                let lowest = scores
                    .dtype()
                    .finfo()
                    .map_or(f64::from(f32::MIN), |info| info.min);
                let hidden = hidden.clone().expand(scores.dims());
                scores.mask_fill(hidden, lowest)
            }
        };
        softmax(scores, 3)
    }
}

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
        if let Some(mixed) = self.kernel(&weights, &values) {
            return mixed;
        }
        weights.matmul(values)
    }
}
