//! The surrogate as one node of autodiff's graph, on the CPU: nothing is computed on the way forward, and
//! one product on the way back. Written with Burn's own operations it takes three more passes over memory
//! forward, which a card fuses into one and a CPU does not.

use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind, unary};
use burn::backend::{Autodiff, Backend, Dispatch, Flex, backend_extension, tensor::FloatTensor};
use burn::tensor::Tensor;

/// [`surrogate`](super::surrogate) on [`Device::flex`](burn::tensor::Device::flex).
pub(super) fn surrogate<const D: usize>(
    value: Tensor<D>,
    proxy: Tensor<D>,
    slope: Tensor<D>,
) -> Tensor<D> {
    let [value, proxy, slope] = [value, proxy, slope].map(Tensor::into_dispatch);
    Tensor::from_dispatch(<Dispatch as Surrogate>::surrogate(value, proxy, slope))
}

#[backend_extension(Flex, Autodiff)]
trait Surrogate: Backend {
    /// `value` and `proxy` have one shape, `slope` one that broadcasts to it.
    fn surrogate(
        value: FloatTensor<Self>,
        proxy: FloatTensor<Self>,
        slope: FloatTensor<Self>,
    ) -> FloatTensor<Self>;
}

impl Surrogate for Flex {
    fn surrogate(
        value: FloatTensor<Self>,
        _proxy: FloatTensor<Self>,
        _slope: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        value
    }
}

impl<B: Backend, C: CheckpointStrategy> Surrogate for Autodiff<B, C> {
    fn surrogate(
        value: FloatTensor<Self>,
        proxy: FloatTensor<Self>,
        slope: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let (value, slope) = (value.into_primitive(), slope.into_primitive());
        match TimesSlope
            .prepare::<C>([proxy.node()])
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(node) => node.finish(slope, value),
            OpsKind::UnTracked(node) => node.finish(value),
        }
    }
}

/// The gradient of the proxy is that of the surrogate times the slope.
#[derive(Debug)]
struct TimesSlope;

impl<B: Backend> Backward<B, 1> for TimesSlope {
    type State = FloatTensor<B>;

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        unary::<B, _>(ops.parents, ops.node, gradients, |gradient| {
            B::float_mul(gradient, ops.state)
        });
    }
}
