//! Mixtures on the CPU, from weights and values where they lie in memory.

use burn::backend::Flex;
use burn::tensor::Tensor;
use relprop_kernels::Order;

use super::AttentionMix;
use crate::flex;
use crate::operations::attention::heads::{heads, laid, matrices, product};

impl AttentionMix {
    /// All mixtures, a token's heads side by side as a model joins them. None where no kernel can do it:
    /// on another device, in another type.
    pub(super) fn fused(&self, weights: &Tensor<4>, values: &Tensor<4>) -> Option<Tensor<4>> {
        let [p, v] = [matrices(weights)?, matrices(values)?];
        let mixed = product(heads(&p), heads(&v), 1.0, Order::Rows);
        flex::node_of_two(
            &Tensor::from_primitive::<Flex>(mixed),
            [weights, values],
            move |gradient| {
                let gradient = laid(gradient);
                product(heads(&gradient), heads(&v).turned(), 1.0, Order::Heads)
            },
            move |gradient| {
                let gradient = laid(gradient);
                product(heads(&p).turned(), heads(&gradient), 1.0, Order::Rows)
            },
        )
    }
}
