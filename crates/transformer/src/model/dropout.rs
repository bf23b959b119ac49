//! Dropout, which is on in training passes alone.

use burn::nn::Dropout;
use burn::tensor::Tensor;
use relprop_rules::Pass;

/// Drops numbers of `x` at random in a training pass, and none in any other.
pub(super) fn dropout<const D: usize>(layer: &Dropout, x: Tensor<D>, pass: &Pass) -> Tensor<D> {
    if pass.is_training() {
        layer.forward(x)
    } else {
        x
    }
}
