//! Attention on the CPU: products of heads where they lie in memory, weights a query's row at a time.

use burn::backend::{Flex, TensorMetadata, flex::FlexTensor};
use burn::tensor::{DType, Tensor};
use relprop_kernels::{Heads, Order, products, softmax, softmax_backward};

use super::{AttentionMix, AttentionScores, AttentionWeights};
use crate::flex;

impl AttentionScores {
    /// All scores, from queries and keys where they lie, with the scale in the product. None where no
    /// kernel can do it: on another device, in another type.
    pub(super) fn kernel(&self, query: &Tensor<4>, key: &Tensor<4>) -> Option<Tensor<4>> {
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

impl AttentionMix {
    /// All mixtures, a token's heads side by side as a model joins them. None where no kernel can do it:
    /// on another device, in another type.
    pub(super) fn kernel(&self, weights: &Tensor<4>, values: &Tensor<4>) -> Option<Tensor<4>> {
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

/// The numbers of a tensor of f32, so that [`heads`] finds them.
fn matrices(x: &Tensor<4>) -> Option<FlexTensor> {
    let x = flex::primitive(x).filter(|x| x.dtype() == DType::F32)?;
    Some(laid(x))
}

/// With rows or columns that lie side by side.
fn laid(x: FlexTensor) -> FlexTensor {
    let strides = x.layout().strides();
    match strides[2..].contains(&1) && strides.iter().all(|stride| *stride >= 0) {
        true => x,
        false => x.to_contiguous(),
    }
}

fn heads(x: &FlexTensor) -> Heads<'_> {
    let layout = x.layout();
    Heads {
        numbers: &x.storage()[layout.start_offset()..],
        shape: x.shape().dims(),
        strides: std::array::from_fn(|axis| layout.strides()[axis].unsigned_abs()),
    }
}

/// [`products`] as a tensor `[text, head, row, column]`, however it lies.
fn product(left: Heads<'_>, right: Heads<'_>, factor: f32, order: Order) -> FlexTensor {
    let ([texts, heads, rows, _], columns) = (left.shape, right.shape[3]);
    let numbers = products(left, right, factor, order);
    match order {
        Order::Heads => flex::shaped(numbers, [texts, heads, rows, columns]),
        Order::Rows => flex::shaped(numbers, [texts, rows, heads, columns]).transpose(1, 2),
    }
}

impl AttentionWeights {
    /// The weights in one pass forward and one back. Gives the scores back where no kernel can do it: on
    /// another device, in another type.
    #[expect(clippy::result_large_err, reason = "the scores go back, not an error")]
    pub(super) fn kernel(&self, scores: Tensor<4>) -> Result<Tensor<4>, Tensor<4>> {
        let [_, heads, queries, keys] = scores.dims();
        if scores.dtype() != DType::F32 {
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
