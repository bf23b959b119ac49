//! Multi-head self-attention.

use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig, Linear};
use burn::tensor::{Bool, Device, Tensor};
use relprop_rules::{
    Pass,
    operations::{AttentionMix, AttentionScores, AttentionWeights, Linear as LinearMap},
};

use super::{linear::linear, transformer::drop};
use crate::TransformerConfig;

/// Every token looks at every token that is no padding, in several heads at once.
#[derive(Module, Debug)]
pub(super) struct Attention {
    query: Linear,
    key: Linear,
    value: Linear,
    output: Linear,
    dropout: Dropout,
    #[module(skip)]
    heads: usize,
    #[module(skip)]
    scale: f64,
}

impl Attention {
    pub(super) fn new(config: &TransformerConfig, device: &Device) -> Self {
        let square = || linear(config.width, config.width, config.initializer_range, device);
        let head_width = (config.width / config.heads) as f64;
        Self {
            query: square(),
            key: square(),
            value: square(),
            output: square(),
            dropout: DropoutConfig::new(config.attention_dropout).init(),
            heads: config.heads,
            scale: if config.scaled_attention {
                head_width.sqrt().recip()
            } else {
                1.0
            },
        }
    }

    /// `x`: `[batch, position, feature]`; `hidden`: true where there is padding,
    /// `[batch, 1, 1, key]`. Gives `[batch, position, feature]`.
    pub(super) fn forward(
        &self,
        x: Tensor<3>,
        hidden: Tensor<4, Bool>,
        pass: &mut Pass,
    ) -> Tensor<3> {
        let query = pass.apply("query", &LinearMap::from(&self.query), x.clone());
        let key = pass.apply("key", &LinearMap::from(&self.key), x.clone());
        let value = pass.apply("value", &LinearMap::from(&self.value), x);

        let scores = AttentionScores { scale: self.scale };
        let scores = pass.apply("scores", &scores, (self.split(query), self.split(key)));
        let weights = pass.apply(
            "weights",
            &AttentionWeights {
                hidden: Some(hidden),
            },
            scores,
        );
        let weights = drop(&self.dropout, weights, pass);
        let mixed = pass.apply("mix", &AttentionMix, (weights, self.split(value)));

        pass.apply("output", &LinearMap::from(&self.output), merge(mixed))
    }

    /// `[batch, position, feature]` to `[batch, head, position, feature of a head]`.
    fn split(&self, x: Tensor<3>) -> Tensor<4> {
        let [batch, position, width] = x.dims();
        x.reshape([batch, position, self.heads, width / self.heads])
            .swap_dims(1, 2)
    }
}

/// `[batch, head, position, feature of a head]` to `[batch, position, feature]`.
fn merge(x: Tensor<4>) -> Tensor<3> {
    let [batch, heads, position, width] = x.dims();
    x.swap_dims(1, 2).reshape([batch, position, heads * width])
}
