//! Mixtures on the CPU, which read weights and values in place.

use burn::backend::Flex;
use burn::tensor::Tensor;
use relprop_kernels::Order;

use super::AttentionMix;
use crate::flex;
use crate::operations::attention::heads::{heads, matrices, product, with_unit_stride};

impl AttentionMix {
    /// The mixtures by one kernel. It writes the heads of a token side by side, because a model
    /// joins them next. None on another device, or for another type than f32.
    pub(super) fn fused(&self, weights: &Tensor<4>, values: &Tensor<4>) -> Option<Tensor<4>> {
        let [p, v] = [matrices(weights)?, matrices(values)?];
        let mixed = product(heads(&p), heads(&v), 1.0, Order::Rows);
        flex::node_of_two(
            &Tensor::from_primitive::<Flex>(mixed),
            [weights, values],
            move |gradient| {
                let gradient = with_unit_stride(gradient);
                product(heads(&gradient), heads(&v).transposed(), 1.0, Order::Heads)
            },
            move |gradient| {
                let gradient = with_unit_stride(gradient);
                product(heads(&p).transposed(), heads(&gradient), 1.0, Order::Rows)
            },
        )
    }
}
