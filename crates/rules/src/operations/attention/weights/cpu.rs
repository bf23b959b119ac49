//! The softmax on the CPU, a query's row of keys at a time.

use burn::backend::Flex;
use burn::tensor::{DType, Tensor};
use relprop_kernels::{softmax, softmax_backward};

use super::AttentionWeights;
use crate::flex;

impl AttentionWeights {
    /// The weights in one pass forward and one backward, each in place if nothing else shares the
    /// numbers. Returns the scores as an error on another device, for another type than f32, or with sinks.
    #[expect(clippy::result_large_err, reason = "the scores go back, not an error")]
    pub(super) fn fused(&self, scores: Tensor<4>) -> Result<Tensor<4>, Tensor<4>> {
        let [_, heads, queries, keys] = scores.dims();
        if scores.dtype() != DType::F32 || self.sinks.is_some() {
            return Err(scores);
        }
        let hidden = match &self.hidden {
            None => None,
            Some(hidden) => match hidden.clone().try_into_primitive::<Flex>() {
                Ok(marks) => Some((hidden.dims()[2], marks.to_contiguous())),
                Err(_) => return Err(scores),
            },
        };
        let weigh = |scores: &mut [f32]| {
            softmax(scores, keys, |row| match &hidden {
                None => &[],
                Some((rows, marks)) => {
                    let text = row / (heads * queries);
                    let row = text * rows + (row % queries).min(rows - 1);
                    &marks.storage()[row * keys..(row + 1) * keys]
                }
            });
        };
        flex::in_place(scores, weigh, |weights, ()| {
            move |gradient| {
                let pull = |flow: &mut [f32]| softmax_backward(flex::slice(&weights), flow, keys);
                flex::change(gradient, pull).0
            }
        })
    }
}
