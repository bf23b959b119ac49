//! The feed-forward part of a block.

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::{Device, Tensor};
use relprop_rules::{
    Pass,
    operations::{Activation, EmbeddingSum, Gate, Linear as LinearMap},
};

use super::linear::linear;
use crate::{ClippedGate, FeedForwardConfig, TransformerConfig};

/// A linear map up, an activation, a linear map down, for each token by itself. If it is gated, the
/// activation is applied to a second map up, and the first map is multiplied by the result.
#[derive(Module, Debug)]
pub(super) struct FeedForward {
    up: Linear,
    gate: Option<Linear>,
    down: Linear,
    #[module(skip)]
    activation: Activation,
    #[module(skip)]
    clip: Option<ClippedGate>,
}

impl FeedForward {
    pub(super) fn new(
        part: &FeedForwardConfig,
        config: &TransformerConfig,
        device: &Device,
    ) -> Self {
        let std = config.initializer_range;
        let bias = config.biases.feed_forward;
        let bias_up = bias && !config.biases.unbiased_up;
        let up = || linear(config.width, part.width, std, bias_up, device);
        Self {
            up: up(),
            gate: part.gated.then(up),
            down: linear(part.width, config.width, std, bias, device),
            activation: part.activation,
            clip: part.clip,
        }
    }

    /// (u + 1) h, with h = g sigmoid(a g), as the sum of u h and h: the 1 is nobody's, and what it multiplies is let
    /// through. The bounds are activations with factors around them, and so is the slope: h = silu(a g) / a.
    fn clipped(
        &self,
        ClippedGate { bound, slope }: ClippedGate,
        gate: Tensor<3>,
        up: Tensor<3>,
        pass: &mut Pass,
    ) -> Tensor<3> {
        let mut clip = |site, kind: Activation, x: Tensor<3>| {
            pass.apply(site, &kind, x * bound.recip()) * bound
        };
        let up = clip("up-clip", Activation::Clip, up);
        let gate = clip("gate-clip", Activation::ClipAbove, gate);
        let gate = pass.apply("activation", &self.activation, gate * slope) * slope.recip();
        let product = pass.apply("product", &Gate, (gate.clone(), up));
        pass.apply("sum", &EmbeddingSum, (product, vec![gate]))
    }

    /// `[batch, position, feature]` to the same.
    pub(super) fn forward(&self, x: Tensor<3>, pass: &mut Pass) -> Tensor<3> {
        let up = pass.apply("up", &LinearMap::from(&self.up), x.clone());
        let x = match &self.gate {
            None => pass.apply("activation", &self.activation, up),
            Some(gate) => {
                let gate = pass.apply("gate", &LinearMap::from(gate), x);
                match self.clip {
                    None => {
                        let gate = pass.apply("activation", &self.activation, gate);
                        pass.apply("product", &Gate, (gate, up))
                    }
                    Some(clip) => self.clipped(clip, gate, up, pass),
                }
            }
        };
        pass.apply("down", &LinearMap::from(&self.down), x)
    }
}
