//! Scores on the CPU, from queries and keys where they lie in memory.

use burn::backend::Flex;
use burn::tensor::Tensor;
use relprop_kernels::Order;

use super::AttentionScores;
use crate::flex;
use crate::operations::attention::heads::{heads, laid, matrices, product};

impl AttentionScores {
    /// All scores, from queries and keys where they lie, with the scale in the product. None where no
    /// kernel can do it: on another device, in another type.
    pub(super) fn fused(&self, query: &Tensor<4>, key: &Tensor<4>) -> Option<Tensor<4>> {
        let [queries, keys] = [matrices(query)?, matrices(key)?];
        let scale = self.scale as f32;
        let scores = product(heads(&queries), heads(&keys).turned(), scale, Order::Heads);
        flex::node_of_two(
            &Tensor::from_primitive::<Flex>(scores),
            [query, key],
            move |gradient| {
                let gradient = laid(gradient);
                product(heads(&gradient), heads(&keys), scale, Order::Rows)
            },
            move |gradient| {
                let gradient = laid(gradient);
                let gradient = heads(&gradient).turned();
                product(gradient, heads(&queries), scale, Order::Rows)
            },
        )
    }
}
