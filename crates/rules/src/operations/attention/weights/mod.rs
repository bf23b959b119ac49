//! The softmax of the scores.

#[cfg(feature = "flex")]
mod cpu;
pub mod law;
pub mod rules;

use burn::tensor::{Bool, Tensor, activation::softmax};

use crate::Operation;

/// The weight of each key for each query: p_j = softmax(q_j), over the keys that are not hidden, and the sink.
#[derive(Clone, Debug)]
pub struct AttentionWeights {
    /// True where a key is hidden (padding, or a mask), `[batch, 1, 1 or query, key]`.
    pub hidden: Option<Tensor<4, Bool>>,
    /// A score of each head, `[head]`, that stands beside those of all keys, and whose weight is left out: a sink
    /// (gpt-oss). It is a constant.
    pub sinks: Option<Tensor<1>>,
}

impl Operation for AttentionWeights {
    const NAME: &'static str = "attention-weights";
    const ABSORBS: &'static str = "softmax";
    /// Scores `[batch, head, query, key]`.
    type Input = Tensor<4>;
    /// `[batch, head, query, key]`; exactly zero at hidden keys; each query's weights sum to 1, or to less where
    /// a sink takes the rest.
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
        let Some(sinks) = &self.sinks else {
            return softmax(scores, 3);
        };
        let [texts, heads, queries, keys] = scores.dims();
        let sinks = sinks.clone().cast(scores.dtype()).reshape([1, heads, 1, 1]);
        let sinks = sinks.expand([texts, heads, queries, 1]);
        softmax(Tensor::cat(vec![scores, sinks], 3), 3).narrow(3, 0, keys)
    }
}
