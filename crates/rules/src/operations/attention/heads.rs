//! The matrix products of attention heads on the CPU, which scores and mixing share.

use burn::backend::{TensorMetadata, flex::FlexTensor};
use burn::tensor::{DType, Tensor};
use relprop_kernels::{Heads, Order, products};

use crate::flex;

/// The numbers of a tensor of f32, so that [`heads`] finds them.
pub(super) fn matrices(x: &Tensor<4>) -> Option<FlexTensor> {
    let x = flex::primitive(x).filter(|x| x.dtype() == DType::F32)?;
    Some(laid(x))
}

/// With rows or columns that lie side by side.
pub(super) fn laid(x: FlexTensor) -> FlexTensor {
    let strides = x.layout().strides();
    match strides[2..].contains(&1) && strides.iter().all(|stride| *stride >= 0) {
        true => x,
        false => x.to_contiguous(),
    }
}

pub(super) fn heads(x: &FlexTensor) -> Heads<'_> {
    let layout = x.layout();
    Heads {
        numbers: &x.storage()[layout.start_offset()..],
        shape: x.shape().dims(),
        strides: std::array::from_fn(|axis| layout.strides()[axis].unsigned_abs()),
    }
}

/// [`products`] as a tensor `[text, head, row, column]`, however it lies.
pub(super) fn product(left: Heads<'_>, right: Heads<'_>, factor: f32, order: Order) -> FlexTensor {
    let ([texts, heads, rows, _], columns) = (left.shape, right.shape[3]);
    let numbers = products(left, right, factor, order);
    match order {
        Order::Heads => flex::shaped(numbers, [texts, heads, rows, columns]),
        Order::Rows => flex::shaped(numbers, [texts, rows, heads, columns]).transpose(1, 2),
    }
}
