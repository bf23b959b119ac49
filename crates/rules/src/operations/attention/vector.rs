//! Attention on the CPU: scores as they lie in memory, weights a query's row at a time.

use burn::backend::Flex;
use burn::tensor::{DType, Tensor};
use relprop_kernels::{softmax, softmax_backward};

use super::{AttentionScores, AttentionWeights};
use crate::flex;

impl AttentionScores {
    /// Queries times the scale, in the order in which they lie: Burn follows their axes, which a model has
    /// swapped. Gives the queries back where no kernel can do it: on another device, in another type.
    #[expect(clippy::result_large_err, reason = "the queries go back, not an error")]
    pub(super) fn kernel(&self, query: Tensor<4>) -> Result<Tensor<4>, Tensor<4>> {
        let Some(numbers) = flex::primitive(&query).filter(|x| x.dtype() == DType::F32) else {
            return Err(query);
        };
        let tracked = query.is_tracked().then(|| query.clone());
        drop(query);
        let scale = self.scale as f32;
        let scaled = move |x| flex::change(x, |x| relprop_kernels::scale(x, scale));
        let y = Tensor::from_primitive::<Flex>(scaled(numbers));
        match tracked {
            None => Ok(y),
            Some(query) => flex::node(&y, query.clone(), scaled).ok_or(query),
        }
    }
}

impl AttentionWeights {
    /// The weights in one pass forward and one back. Gives the scores back where no kernel can do it: on
    /// another device, in another type.
    #[expect(clippy::result_large_err, reason = "the scores go back, not an error")]
    pub(super) fn kernel(&self, scores: Tensor<4>) -> Result<Tensor<4>, Tensor<4>> {
        let [_, heads, queries, keys] = scores.dims();
        let tracked = scores.is_tracked().then(|| scores.clone());
        let Some(numbers) = flex::numbers(&scores).filter(|x| x.dtype() == DType::F32) else {
            return Err(scores);
        };
        let hidden = match &self.hidden {
            None => None,
            Some(hidden) => match hidden.clone().try_into_primitive::<Flex>() {
                Ok(marks) => Some((hidden.dims()[2], marks.to_contiguous())),
                Err(_) => return Err(scores),
            },
        };
        drop(scores);
        let hidden = hidden
            .as_ref()
            .map(|(rows, marks)| (*rows, marks.storage::<u8>()));

        let weights = flex::change(numbers, |scores| {
            softmax(scores, keys, |row| match hidden {
                None => &[],
                Some((rows, marks)) => {
                    let text = row / (heads * queries);
                    let row = text * rows + (row % queries).min(rows - 1);
                    &marks[row * keys..(row + 1) * keys]
                }
            });
        });
        let y = Tensor::from_primitive::<Flex>(weights.clone());
        let Some(scores) = tracked else {
            return Ok(y);
        };
        let node = flex::node(&y, scores.clone(), move |gradient| {
            let gradient = gradient.to_contiguous();
            let [weights, numbers] = [&weights, &gradient].map(flex::slice);
            flex::like(softmax_backward(weights, numbers, keys), &gradient)
        });
        node.ok_or(scores)
    }
}
