//! Pooling: from one vector for each token to one vector for each text.

pub mod law;

use burn::tensor::Tensor;

use crate::Operation;

/// A weighted sum over positions, with fixed weights.
#[derive(Clone, Debug)]
pub struct Pooling {
    /// The weight of each position, `[batch, 1, position]`: a single 1 to pool by one token.
    pub weights: Tensor<3>,
}

impl Operation for Pooling {
    const NAME: &'static str = "pooling";
    const ABSORBS: &'static str = "pooling";
    /// `[batch, position, feature]`.
    type Input = Tensor<3>;
    /// `[batch, 1, feature]`.
    type Output = Tensor<3>;

    fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        self.weights.clone().matmul(x)
    }
}
