//! The feed-forward part of a block.

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::{Device, Tensor};
use relprop_rules::{
    Pass,
    operations::{Activation, Gate, Linear as LinearMap},
};

use super::linear::linear;
use crate::{FeedForwardConfig, TransformerConfig};

/// A linear map up, an activation, a linear map down, for each token by itself. If it is gated, the
/// activation is applied to a second map up, and the first map is multiplied by the result.
#[derive(Module, Debug)]
pub(super) struct FeedForward {
    up: Linear,
    gate: Option<Linear>,
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
        let bias = config.biases.feed_forward;
        let up = || linear(config.width, part.width, std, bias, device);
        Self {
            up: up(),
            gate: part.gated.then(up),
            down: linear(part.width, config.width, std, bias, device),
            activation: part.activation,
        }
    }

    /// `[batch, position, feature]` to the same.
    pub(super) fn forward(&self, x: Tensor<3>, pass: &mut Pass) -> Tensor<3> {
        let up = pass.apply("up", &LinearMap::from(&self.up), x.clone());
        let x = match &self.gate {
            None => pass.apply("activation", &self.activation, up),
            Some(gate) => {
                let gate = pass.apply("gate", &LinearMap::from(gate), x);
                let gate = pass.apply("activation", &self.activation, gate);
                pass.apply("product", &Gate, (gate, up))
            }
        };
        pass.apply("down", &LinearMap::from(&self.down), x)
    }
}
