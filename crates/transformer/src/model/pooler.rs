//! From the first token's hidden state to one vector for each text.

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::{Device, Tensor};
use relprop_rules::{
    Pass,
    operations::{Activation, Linear as LinearMap},
};

use super::linear::linear;
use crate::TransformerConfig;

/// A linear map and an activation.
#[derive(Module, Debug)]
pub(super) struct Pooler {
    linear: Linear,
    #[module(skip)]
    activation: Activation,
}

impl Pooler {
    pub(super) fn new(activation: Activation, config: &TransformerConfig, device: &Device) -> Self {
        let std = config.initializer_range;
        let linear = linear(config.width, config.width, std, true, device);
        Self { linear, activation }
    }

    /// `[batch, 1, feature]` to the same.
    pub(super) fn forward(&self, x: Tensor<3>, pass: &mut Pass) -> Tensor<3> {
        let x = pass.apply("linear", &LinearMap::from(&self.linear), x);
        pass.apply("activation", &self.activation, x)
    }
}
