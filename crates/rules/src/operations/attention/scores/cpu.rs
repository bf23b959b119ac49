//! Scores on the CPU, which read queries and keys in place.

use burn::backend::Flex;
use burn::tensor::Tensor;
use relprop_kernels::Order;

use super::AttentionScores;
use crate::flex;
use crate::operations::attention::heads::{heads, matrices, product, with_unit_stride};

impl AttentionScores {
    /// The scores by one kernel, which reads queries and keys in place and scales as it multiplies.
    /// None on another device, or for another type than f32.
    pub(super) fn fused(&self, query: &Tensor<4>, key: &Tensor<4>) -> Option<Tensor<4>> {
        let [queries, keys] = [matrices(query)?, matrices(key)?];
        let scale = self.scale as f32;
        let scores = product(
            heads(&queries),
            heads(&keys).transposed(),
            scale,
            Order::Heads,
        );
        flex::node_of_two(
            &Tensor::from_primitive::<Flex>(scores),
            [query, key],
            move |gradient| {
                let gradient = with_unit_stride(gradient);
                product(heads(&gradient), heads(&keys), scale, Order::Rows)
            },
            move |gradient| {
                let gradient = with_unit_stride(gradient);
                let gradient = heads(&gradient).transposed();
                product(gradient, heads(&queries), scale, Order::Rows)
            },
        )
    }
}
