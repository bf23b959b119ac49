//! The matrix products of attention heads on the CPU, which scores and mixing share.

use burn::backend::{TensorMetadata, flex::FlexTensor};
use burn::tensor::{DType, Tensor};
use relprop_kernels::{Heads, Order, products};

use crate::flex;

/// The matrices of a tensor of f32, ready for [`heads`]. None on another device or of another type.
pub(super) fn matrices(x: &Tensor<4>) -> Option<FlexTensor> {
    let x = flex::primitive(x).filter(|x| x.dtype() == DType::F32)?;
    Some(with_unit_stride(x))
}

/// The same tensor. It is copied if neither the numbers of a row nor those of a column are adjacent
/// in memory.
pub(super) fn with_unit_stride(x: FlexTensor) -> FlexTensor {
    let strides = x.layout().strides();
    match strides[2..].contains(&1) && strides.iter().all(|stride| *stride >= 0) {
        true => x,
        false => x.to_contiguous(),
    }
}

/// The matrices of a tensor from [`matrices`] or [`with_unit_stride`], in place.
pub(super) fn heads(x: &FlexTensor) -> Heads<'_> {
    let layout = x.layout();
    Heads {
        numbers: &x.storage()[layout.start_offset()..],
        shape: x.shape().dims(),
        strides: std::array::from_fn(|axis| layout.strides()[axis].unsigned_abs()),
    }
}

/// The [`products`] as a tensor `[text, head, row, column]`; `order` says in which order it lies in
/// memory.
pub(super) fn product(left: Heads<'_>, right: Heads<'_>, factor: f32, order: Order) -> FlexTensor {
    let ([texts, heads, rows, _], columns) = (left.shape, right.shape[3]);
    let numbers = products(left, right, factor, order);
    match order {
        Order::Heads => flex::shaped(numbers, [texts, heads, rows, columns]),
        Order::Rows => flex::shaped(numbers, [texts, rows, heads, columns]).transpose(1, 2),
    }
}
