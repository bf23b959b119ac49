//! The feed-forward part of a block.

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::{Device, Tensor};
use relprop_rules::{
    Pass,
    operations::{Activation, Linear as LinearMap},
};

use super::linear::linear;
use crate::{FeedForwardConfig, TransformerConfig};

/// A linear map up, an activation, a linear map down; each token by itself.
#[derive(Module, Debug)]
pub(super) struct FeedForward {
    up: Linear,
    down: Linear,
    #[module(skip)]
    activation: Activation,
}

impl FeedForward {
    pub(super) fn new(
        part: &FeedForwardConfig,
        config: &TransformerConfig,
        device: &Device,
    ) -> Self {
        let std = config.initializer_range;
        Self {
            up: linear(config.width, part.width, std, device),
            down: linear(part.width, config.width, std, device),
            activation: part.activation,
        }
    }

    /// `[batch, position, feature]` to the same.
    pub(super) fn forward(&self, x: Tensor<3>, pass: &mut Pass) -> Tensor<3> {
        let x = pass.apply("up", &LinearMap::from(&self.up), x);
        let x = pass.apply("activation", &self.activation, x);
        pass.apply("down", &LinearMap::from(&self.down), x)
    }
}
