//! Access to the memory of Burn's CPU device, Flex, below its tensors.
//!
//! On this device every operation of Burn is one more pass over memory. So operations and rules
//! read the numbers of a tensor in place, compute in one pass, and give the result to autodiff as
//! one node with a backward pass of its own. Each function that needs the device returns None on
//! any other; the caller then uses Burn's operations.

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

/// The device's own tensor, outside autodiff. None on another device.
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

/// The numbers of a bias or of factors, `[feature]`, in f32. None on another device.
pub(crate) fn term(term: &Tensor<1>) -> Option<Vec<f32>> {
    let numbers = numbers(&widen(term.clone()))?;
    Some(slice(&numbers).to_vec())
}

/// A tensor of f32, in the shape of another.
pub(crate) fn like(numbers: Vec<f32>, other: &FlexTensor) -> FlexTensor {
    shaped(numbers, other.shape())
}

/// A tensor of f32.
pub(crate) fn shaped(numbers: Vec<f32>, shape: impl Into<Shape>) -> FlexTensor {
    FlexTensor::from_data(TensorData::new(numbers, shape))
}

/// Lets `f` change numbers of f32 in the order of their axes, and returns the changed tensor with
/// the result of `f`. The numbers are changed in place. If they lie in another order, or another
/// tensor shares them, a copy is changed.
pub(crate) fn change<T>(x: FlexTensor, f: impl FnOnce(&mut [f32]) -> T) -> (FlexTensor, T) {
    let mut numbers = x.to_contiguous();
    // If `x` were still alive it would share the numbers, and they would be copied.
    drop(x);
    let found = f(numbers.storage_mut());
    (numbers, found)
}

/// The product of two tensors, number by number; `factors` may broadcast.
pub(crate) fn product(x: FlexTensor, factors: &FlexTensor) -> FlexTensor {
    if x.shape() != factors.shape() || x.dtype() != DType::F32 || factors.dtype() != DType::F32 {
        return Flex::float_mul(x, factors.clone());
    }
    change(x, |x| multiply(x, slice(factors))).0
}

/// A node of autodiff's graph with the value `value`, a constant, and the parent `x`. `back` turns the
/// gradient of the node into that of `x`, in the shape of `x`.
///
/// None on another device, and where autodiff runs with checkpointing.
pub(crate) fn node<const D: usize>(
    value: &Tensor<D>,
    x: Tensor<D>,
    back: impl Fn(FlexTensor) -> FlexTensor + Send + Sync + 'static,
) -> Option<Tensor<D>> {
    let x = x.try_into_primitive::<Autodiff<Flex>>().ok()?;
    Some(follow(
        [x.node()],
        primitive(value)?,
        GradientMap::new(back),
    ))
}

/// A node with the value `value` and these parents.
fn follow<const D: usize, const N: usize>(
    parents: [NodeGuard; N],
    value: FlexTensor,
    back: <ByClosure as Backward<Flex, N>>::State,
) -> Tensor<D>
where
    ByClosure: Backward<Flex, N>,
{
    let prepared = ByClosure
        .prepare::<NoCheckpointing>(parents)
        .compute_bound()
        .stateful();
    let y = match prepared {
        OpsKind::Tracked(node) => node.finish(back, value),
        OpsKind::UnTracked(node) => node.finish(value),
    };
    Tensor::from_primitive::<Autodiff<Flex>>(y)
}

/// Lets `f` change the numbers of `x`, in place if no other tensor shares them. The result is a
/// node with the parent `x`. `back` gets the new value and the result of `f`, and returns the
/// function from the gradient of the node to that of `x`.
///
/// Returns `x` as an error where [`node`] returns None.
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
    // The conversion consumes its tensor even if it fails, so a clone is tried first.
    if x.clone().try_into_primitive::<Autodiff<Flex>>().is_err() {
        return Err(x);
    }
    let x = x.try_into_primitive::<Autodiff<Flex>>();
    let (numbers, x) = x.expect("it was one just now").into_parts();
    let (value, found) = change(numbers, f);
    let back = GradientMap::new(back(value.clone(), found));
    Ok(follow([x], value, back))
}

/// [`node`] with two parents, and a function for the gradient of each.
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
    let back = [GradientMap::new(to_a), GradientMap::new(to_b)];
    Some(follow([a.node(), b.node()], primitive(value)?, back))
}

/// A backward pass that is given as closures, one for each parent.
#[derive(Debug)]
struct ByClosure;

/// The function from the gradient of a node to that of a parent.
#[derive(Clone)]
struct GradientMap(Arc<dyn Fn(FlexTensor) -> FlexTensor + Send + Sync>);

impl GradientMap {
    fn new(back: impl Fn(FlexTensor) -> FlexTensor + Send + Sync + 'static) -> Self {
        Self(Arc::new(back))
    }
}

impl fmt::Debug for GradientMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GradientMap")
    }
}

impl Backward<Flex, 1> for ByClosure {
    type State = GradientMap;

    fn backward(
        self,
        ops: Ops<GradientMap, 1>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        unary::<Flex, _>(ops.parents, ops.node, gradients, |gradient| {
            (ops.state.0)(gradient)
        });
    }
}

impl Backward<Flex, 2> for ByClosure {
    type State = [GradientMap; 2];

    fn backward(
        self,
        ops: Ops<[GradientMap; 2], 2>,
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
