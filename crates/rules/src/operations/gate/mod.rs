//! The product of two signals.

pub mod law;
pub mod rules;

use burn::tensor::Tensor;

use crate::Operation;

/// y = a * b, elementwise on `[batch, position, feature]`: a gate, and the signal that it lets
/// through.
#[derive(Clone, Copy, Debug)]
pub struct Gate;

impl Operation for Gate {
    const NAME: &'static str = "gate";
    const ABSORBS: &'static str = "product";
    /// The gate, after its activation, and the signal that it lets through.
    type Input = (Tensor<3>, Tensor<3>);
    type Output = Tensor<3>;

    fn forward(&self, (gate, signal): Self::Input) -> Self::Output {
        gate * signal
    }
}
