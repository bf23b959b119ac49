//! From the tokens of a picture or a text to one vector, by attention of a learned query: SigLIP's head.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};
use relprop_rules::{Pass, operations::Residual, precision::widen};

use super::attention::{Attention, AttentionContext};
use super::feed_forward::FeedForward;
use super::layer_norm::LayerNorm;
use super::linear::normal;
use crate::{Head, TransformerConfig, VectorPooling};

/// A query that was learned, the probe, looks at all tokens; what it gathers goes through a norm, a feed-forward part
/// and a residual sum.
#[derive(Module, Debug)]
pub(super) struct AttentionPooling {
    /// `[1, 1, feature]`.
    probe: Param<Tensor<3>>,
    attention: Attention,
    norm: LayerNorm,
    feed_forward: FeedForward,
}

impl AttentionPooling {
    /// None in a model whose vectors are made in another way.
    pub(super) fn new(config: &TransformerConfig, device: &Device) -> Option<Self> {
        let Head::Vector {
            pooling: VectorPooling::Attention,
            ..
        } = config.head
        else {
            return None;
        };
        let part = config.feed_forward?;
        Some(Self {
            probe: normal(config.initializer_range).init([1, 1, config.width], device),
            attention: Attention::new(config, device),
            norm: LayerNorm::new(&config.norm, config.width, device),
            feed_forward: FeedForward::new(&part, config, device),
        })
    }

    /// `[batch, position, feature]` to `[batch, 1, feature]`. `answers`, `[batch, 1, position]`, is 0 at what is no token.
    pub(super) fn forward(&self, x: Tensor<3>, answers: &Tensor<3>, pass: &mut Pass) -> Tensor<3> {
        let [count, _, width] = x.dims();
        let hidden = answers.clone().equal_elem(0.0).unsqueeze_dim::<4>(1);
        let context = AttentionContext::of_hidden(hidden);
        let probe = widen(self.probe.val()).expand([count, 1, width]);
        let probe = pass.signal("probe", probe);
        let gathered = pass.within("attention", |pass| {
            self.attention.between(probe, x, &context, None, pass)
        });
        pass.within("feed-forward", |pass| {
            let normed = pass.apply("norm", &self.norm.operation(), gathered.clone());
            let output = self.feed_forward.forward(normed, pass);
            pass.apply("residual", &Residual, (gathered, output))
        })
    }
}
