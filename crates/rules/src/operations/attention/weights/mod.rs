//! The softmax of the scores.

#[cfg(feature = "flex")]
mod cpu;
pub mod law;
pub mod rules;

use burn::tensor::{Bool, Tensor, activation::softmax};

use crate::Operation;

/// The weight of each key for each query: p_j = softmax(q_j), over the keys that are not hidden.
#[derive(Clone, Debug)]
pub struct AttentionWeights {
    /// True where a key is hidden (padding, or a mask), `[batch, 1, 1 or query, key]`.
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
        let scores = match self.fused(scores) {
            Ok(weights) => return weights,
            Err(scores) => scores,
        };
        let scores = match &self.hidden {
            None => scores,
            Some(hidden) => {
                // So low that its exponential is exactly zero, but finite: a row of nothing but
                // padding gives numbers, not NaN.
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
