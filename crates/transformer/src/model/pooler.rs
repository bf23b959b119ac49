//! From the first token's hidden state to one vector for each text.

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::{Device, Tensor};
use relprop_rules::{
    Pass,
    operations::{Activation, Linear as LinearMap},
};

use super::layer_norm::LayerNorm;
use super::linear::linear;
use crate::TransformerConfig;

/// A linear map and an activation, and a norm in some.
#[derive(Module, Debug)]
pub(super) struct Pooler {
    linear: Linear,
    norm: Option<LayerNorm>,
    #[module(skip)]
    activation: Activation,
}

impl Pooler {
    pub(super) fn new(activation: Activation, config: &TransformerConfig, device: &Device) -> Self {
        let std = config.initializer_range;
        let bias = !config.unbiased_head;
        let norm = || LayerNorm::new(&config.norm, config.width, device);
        Self {
            linear: linear(config.width, config.width, std, bias, device),
            norm: config.pooler_norm.then(norm),
            activation,
        }
    }

    /// `[batch, 1, feature]` to the same.
    pub(super) fn forward(&self, x: Tensor<3>, pass: &mut Pass) -> Tensor<3> {
        let x = pass.apply("linear", &LinearMap::from(&self.linear), x);
        let x = pass.apply("activation", &self.activation, x);
        match &self.norm {
            Some(norm) => pass.apply("norm", &norm.operation(), x),
            None => x,
        }
    }
}
