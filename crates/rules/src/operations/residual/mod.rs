//! The residual sum.

pub mod law;
pub mod rules;

use burn::tensor::Tensor;

use crate::Operation;

/// The input of a branch plus its output.
#[derive(Clone, Copy, Debug)]
pub struct Residual;

impl Operation for Residual {
    const NAME: &'static str = "residual";
    const ABSORBS: &'static str = "residual";
    /// The skip connection and the branch, each `[batch, position, feature]`.
    type Input = (Tensor<3>, Tensor<3>);
    type Output = Tensor<3>;

    fn forward(&self, (skip, branch): Self::Input) -> Self::Output {
        skip + branch
    }
}
