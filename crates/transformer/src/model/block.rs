//! One block: attention, then a feed-forward part, each with its residual sum and norm.

use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig};
use burn::tensor::{Device, Tensor};
use relprop_rules::{Pass, operations::Residual};

use super::attention::{Attention, AttentionContext, select_token};
use super::dropout::dropout;
use super::feed_forward::FeedForward;
use super::layer_norm::LayerNorm;
use crate::{NormPlacement, TransformerConfig};

/// One block of the encoder.
#[derive(Module, Debug)]
pub(super) struct Block {
    attention: Attention,
    attention_norm: LayerNorm,
    feed_forward: Option<FeedForward>,
    feed_forward_norm: Option<LayerNorm>,
    dropout: Dropout,
    #[module(skip)]
    placement: NormPlacement,
}

impl Block {
    pub(super) fn new(config: &TransformerConfig, device: &Device) -> Self {
        let norm = || LayerNorm::new(&config.norm, config.width, device);
        Self {
            attention: Attention::new(config, device),
            attention_norm: norm(),
            feed_forward: config
                .feed_forward
                .map(|part| FeedForward::new(&part, config, device)),
            feed_forward_norm: config.feed_forward.map(|_| norm()),
            dropout: DropoutConfig::new(config.dropout).init(),
            placement: config.norm_placement,
        }
    }

    /// `x`: `[batch, position, feature]`. Returns `[batch, position, feature]`; if `answer` marks
    /// one token of each text, returns that token alone, `[batch, 1, feature]`.
    pub(super) fn forward(
        &self,
        x: Tensor<3>,
        context: &AttentionContext,
        answer: Option<&Tensor<3>>,
        pass: &mut Pass,
    ) -> Tensor<3> {
        let x = pass.within("attention", |pass| {
            self.sublayer(x, &self.attention_norm, answer, pass, |x, pass| {
                self.attention.forward(x, context, answer, pass)
            })
        });
        match (&self.feed_forward, &self.feed_forward_norm) {
            (Some(part), Some(norm)) => pass.within("feed-forward", |pass| {
                self.sublayer(x, norm, None, pass, |x, pass| part.forward(x, pass))
            }),
            _ => x,
        }
    }

    /// A branch with its residual sum, and the norm before or after. `answer` marks the one token
    /// of each text that the branch keeps; without it, the branch keeps all tokens.
    fn sublayer(
        &self,
        x: Tensor<3>,
        norm: &LayerNorm,
        answer: Option<&Tensor<3>>,
        pass: &mut Pass,
        branch: impl FnOnce(Tensor<3>, &mut Pass) -> Tensor<3>,
    ) -> Tensor<3> {
        let norm = norm.operation();
        let input = match self.placement {
            NormPlacement::Before => pass.apply("norm", &norm, x.clone()),
            NormPlacement::After => x.clone(),
        };
        let output = branch(input, pass);
        let output = dropout(&self.dropout, output, pass);
        let x = select_token(answer, x);
        let sum = pass.apply("residual", &Residual, (x, output));
        match self.placement {
            NormPlacement::Before => sum,
            NormPlacement::After => pass.apply("norm", &norm, sum),
        }
    }
}
