//! What rules do by themselves on Burn's CPU device, where every operation is a pass over memory: numbers
//! are read where they lie, and a value that is known gets a gradient without computing it again.

use std::fmt;
use std::sync::Arc;

use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::NoCheckpointing};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, NodeGuard, Ops, OpsKind, binary, unary};
use burn::backend::flex::FlexTensor;
use burn::backend::ops::FloatTensorOps;
use burn::backend::{Autodiff, Flex, TensorMetadata};
use burn::tensor::{DType, Shape, Tensor, TensorData};
use relprop_kernels::multiply;

use crate::precision::widen;

/// A tensor as the device has it, outside autodiff. None on another device.
pub(crate) fn primitive<const D: usize>(x: &Tensor<D>) -> Option<FlexTensor> {
    let x = x.clone().without_autodiff();
    x.try_into_primitive::<Flex>().ok()
}

/// The numbers of a tensor in the order of its axes, outside autodiff. None on another device.
pub(crate) fn numbers<const D: usize>(x: &Tensor<D>) -> Option<FlexTensor> {
    Some(primitive(x)?.to_contiguous())
}

/// [`numbers`] of f32.
pub(crate) fn slice(numbers: &FlexTensor) -> &[f32] {
    numbers.as_slice().expect("contiguous numbers of f32")
}

/// The numbers of a bias or a factor in f32. None on another device.
pub(crate) fn term(term: &Tensor<1>) -> Option<Vec<f32>> {
    let numbers = numbers(&widen(term.clone()))?;
    Some(slice(&numbers).to_vec())
}

/// A tensor of f32, of the shape of another.
pub(crate) fn like(numbers: Vec<f32>, other: &FlexTensor) -> FlexTensor {
    shaped(numbers, other.shape())
}

/// A tensor of f32.
pub(crate) fn shaped(numbers: Vec<f32>, shape: impl Into<Shape>) -> FlexTensor {
    FlexTensor::from_data(TensorData::new(numbers, shape))
}

/// Changes numbers of f32 in the order of their axes: where they lie, or a copy of them if they lie
/// otherwise or someone else looks at them.
pub(crate) fn change<T>(x: FlexTensor, f: impl FnOnce(&mut [f32]) -> T) -> (FlexTensor, T) {
    let mut numbers = x.to_contiguous();
    // A second owner would make for a copy.
    drop(x);
    let found = f(numbers.storage_mut());
    (numbers, found)
}

/// Two tensors number by number; the second one may broadcast.
pub(crate) fn product(x: FlexTensor, factors: &FlexTensor) -> FlexTensor {
    if x.shape() != factors.shape() || x.dtype() != DType::F32 || factors.dtype() != DType::F32 {
        return Flex::float_mul(x, factors.clone());
    }
    change(x, |x| multiply(x, slice(factors))).0
}

/// The value of `value`, which is a constant; `back` makes the gradient of `x`, of its shape, from that of
/// the result. None on another device, and under another autodiff than the plain one.
pub(crate) fn node<const D: usize>(
    value: &Tensor<D>,
    x: Tensor<D>,
    back: impl Fn(FlexTensor) -> FlexTensor + Send + Sync + 'static,
) -> Option<Tensor<D>> {
    let x = x.try_into_primitive::<Autodiff<Flex>>().ok()?;
    Some(follow([x.node()], primitive(value)?, Back::new(back)))
}

/// `value` as a result of the nodes `parents`.
fn follow<const D: usize, const N: usize>(
    parents: [NodeGuard; N],
    value: FlexTensor,
    back: <Given as Backward<Flex, N>>::State,
) -> Tensor<D>
where
    Given: Backward<Flex, N>,
{
    let prepared = Given
        .prepare::<NoCheckpointing>(parents)
        .compute_bound()
        .stateful();
    let y = match prepared {
        OpsKind::Tracked(node) => node.finish(back, value),
        OpsKind::UnTracked(node) => node.finish(value),
    };
    Tensor::from_primitive::<Autodiff<Flex>>(y)
}

/// What `f` makes of `x`, in its place if nobody else looks at it. `back` gets the value, and what else `f`
/// found, to make the way back. Gives `x` back where [`node`] gives None.
#[expect(
    clippy::result_large_err,
    reason = "the tensor goes back, not an error"
)]
pub(crate) fn in_place<const D: usize, T, B>(
    x: Tensor<D>,
    f: impl FnOnce(&mut [f32]) -> T,
    back: impl FnOnce(FlexTensor, T) -> B,
) -> Result<Tensor<D>, Tensor<D>>
where
    B: Fn(FlexTensor) -> FlexTensor + Send + Sync + 'static,
{
    if !x.is_tracked() {
        let Some(numbers) = primitive(&x) else {
            return Err(x);
        };
        drop(x);
        return Ok(Tensor::from_primitive::<Flex>(change(numbers, f).0));
    }
    // Failing, the conversion would not give its tensor back.
    if x.clone().try_into_primitive::<Autodiff<Flex>>().is_err() {
        return Err(x);
    }
    let x = x.try_into_primitive::<Autodiff<Flex>>();
    let (numbers, x) = x.expect("it was one just now").into_parts();
    let (value, found) = change(numbers, f);
    let back = Back::new(back(value.clone(), found));
    Ok(follow([x], value, back))
}

/// [`node`] of two tensors, with a way back to each.
pub(crate) fn node_of_two<const D: usize>(
    value: &Tensor<D>,
    [a, b]: [&Tensor<D>; 2],
    to_a: impl Fn(FlexTensor) -> FlexTensor + Send + Sync + 'static,
    to_b: impl Fn(FlexTensor) -> FlexTensor + Send + Sync + 'static,
) -> Option<Tensor<D>> {
    match (a.is_tracked(), b.is_tracked()) {
        (false, false) => return Some(value.clone()),
        (true, false) => return node(value, a.clone(), to_a),
        (false, true) => return node(value, b.clone(), to_b),
        (true, true) => {}
    }
    let a = a.clone().try_into_primitive::<Autodiff<Flex>>().ok()?;
    let b = b.clone().try_into_primitive::<Autodiff<Flex>>().ok()?;
    let back = [Back::new(to_a), Back::new(to_b)];
    Some(follow([a.node(), b.node()], primitive(value)?, back))
}

/// An operation whose way back was given to it.
#[derive(Debug)]
struct Given;

/// From the gradient of a result to that of an input.
#[derive(Clone)]
struct Back(Arc<dyn Fn(FlexTensor) -> FlexTensor + Send + Sync>);

impl Back {
    fn new(back: impl Fn(FlexTensor) -> FlexTensor + Send + Sync + 'static) -> Self {
        Self(Arc::new(back))
    }
}

impl fmt::Debug for Back {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Back")
    }
}

impl Backward<Flex, 1> for Given {
    type State = Back;

    fn backward(
        self,
        ops: Ops<Back, 1>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        unary::<Flex, _>(ops.parents, ops.node, gradients, |gradient| {
            (ops.state.0)(gradient)
        });
    }
}

impl Backward<Flex, 2> for Given {
    type State = [Back; 2];

    fn backward(
        self,
        ops: Ops<[Back; 2], 2>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let [to_a, to_b] = ops.state;
        binary::<Flex, _, _>(
            ops.parents,
            ops.node,
            gradients,
            |gradient| (to_a.0)(gradient),
            |gradient| (to_b.0)(gradient),
        );
    }
}
