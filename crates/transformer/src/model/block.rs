//! One block: attention, cross-attention in a decoder, then a feed-forward part, each with its residual sum and norm; or
//! attention and the feed-forward part side by side.

use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig};
use burn::tensor::{Device, Tensor};
use relprop_rules::{Pass, operations::Residual};

use super::attention::{Attention, AttentionContext, select_token};
use super::dropout::dropout;
use super::experts::Experts;
use super::feed_forward::FeedForward;
use super::layer_norm::LayerNorm;
use crate::{Branches, NormPlacement, TransformerConfig};

/// One block of the encoder, or of the decoder.
#[derive(Module, Debug)]
pub(super) struct Block {
    attention: Attention,
    /// None in a first block that has none.
    attention_norm: Option<LayerNorm>,
    /// The second norm of a part that has one before it and one after it.
    attention_output_norm: Option<LayerNorm>,
    /// In a decoder.
    cross_attention: Option<Attention>,
    cross_attention_norm: Option<LayerNorm>,
    feed_forward: Option<FeedForward>,
    /// In the place of the feed-forward part.
    experts: Option<Experts>,
    feed_forward_norm: Option<LayerNorm>,
    feed_forward_output_norm: Option<LayerNorm>,
    dropout: Dropout,
    #[module(skip)]
    placement: NormPlacement,
    #[module(skip)]
    branches: Branches,
    /// What a part is multiplied by before its residual sum.
    #[module(skip)]
    factor: Option<f64>,
}

/// The norms of one part of a block.
#[derive(Clone, Copy)]
struct Norms<'a> {
    norm: Option<&'a LayerNorm>,
    output: Option<&'a LayerNorm>,
}

impl Block {
    /// Block `index`.
    pub(super) fn new(config: &TransformerConfig, index: usize, device: &Device) -> Self {
        let bare = config.bare_first_block && index == 0;
        let norm = || LayerNorm::new(&config.norm, config.width, device);
        let around = config.norm_placement == NormPlacement::Around;
        let part = config.feed_forward;
        let has_part = part.is_some();
        let has_experts = !config.dense_blocks.contains(&index);
        let experts = config.experts.filter(|_| has_experts);
        let one_norm = config.branches == Branches::ParallelOneNorm;
        Self {
            attention: Attention::new(config, device),
            attention_norm: (!bare).then(norm),
            attention_output_norm: around.then(norm),
            cross_attention: None,
            cross_attention_norm: None,
            feed_forward: part
                .filter(|_| experts.is_none())
                .map(|part| FeedForward::new(&part, config, device)),
            experts: experts
                .zip(part)
                .map(|(experts, part)| Experts::new(&experts, &part, config, device)),
            feed_forward_norm: (has_part && !one_norm).then(norm),
            feed_forward_output_norm: (has_part && around).then(norm),
            dropout: DropoutConfig::new(config.dropout).init(),
            placement: config.norm_placement,
            branches: config.branches,
            factor: config.branch_factor,
        }
    }

    /// The same with cross-attention, which is like its attention.
    pub(super) fn with_cross_attention(self, config: &TransformerConfig, device: &Device) -> Self {
        Self {
            cross_attention: Some(Attention::new(config, device)),
            cross_attention_norm: Some(LayerNorm::new(&config.norm, config.width, device)),
            ..self
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
        self.attend(x, context, None, answer, pass)
    }

    /// The same, with what cross-attention reads, `[batch, key, feature]`, and the context of that.
    pub(super) fn attend(
        &self,
        x: Tensor<3>,
        context: &AttentionContext,
        memory: Option<(&Tensor<3>, &AttentionContext)>,
        answer: Option<&Tensor<3>>,
        pass: &mut Pass,
    ) -> Tensor<3> {
        if self.branches != Branches::InTurn {
            return self.parallel(x, context, answer, pass);
        }
        let norms = Norms {
            norm: self.attention_norm.as_ref(),
            output: self.attention_output_norm.as_ref(),
        };
        let x = pass.within("attention", |pass| {
            self.sublayer(x, norms, answer, pass, |x, pass| {
                self.attention.forward(x, context, answer, pass)
            })
        });
        let x = match (&self.cross_attention, memory) {
            (Some(attention), Some((keys, context))) => pass.within("cross-attention", |pass| {
                let norm = self.cross_attention_norm.as_ref();
                let norms = Norms { norm, output: None };
                self.sublayer(x, norms, None, pass, |x, pass| {
                    attention.between(x, keys.clone(), context, None, pass)
                })
            }),
            _ => x,
        };
        let Some(norm) = &self.feed_forward_norm else {
            return x;
        };
        let output = self.feed_forward_output_norm.as_ref();
        pass.within("feed-forward", |pass| {
            let norm = Some(norm);
            self.sublayer(x, Norms { norm, output }, None, pass, |x, pass| {
                match (&self.feed_forward, &self.experts) {
                    (Some(part), _) => part.forward(x, pass),
                    (None, Some(experts)) => experts.forward(x, pass),
                    (None, None) => x,
                }
            })
        })
    }

    /// Attention and the feed-forward part of the same input. Their residual sums stand one after the other,
    /// that of attention first, so that sites are called as in other blocks.
    fn parallel(
        &self,
        x: Tensor<3>,
        context: &AttentionContext,
        answer: Option<&Tensor<3>>,
        pass: &mut Pass,
    ) -> Tensor<3> {
        let (normed, attended) = pass.within("attention", |pass| {
            let normed = match &self.attention_norm {
                Some(norm) => pass.apply("norm", &norm.operation(), x.clone()),
                None => x.clone(),
            };
            let output = self
                .attention
                .forward(normed.clone(), context, answer, pass);
            let x = select_token(answer, x.clone());
            (normed, self.sum(x, output, pass))
        });
        let Some(part) = &self.feed_forward else {
            return attended;
        };
        pass.within("feed-forward", |pass| {
            let input = match &self.feed_forward_norm {
                Some(norm) => pass.apply("norm", &norm.operation(), select_token(answer, x)),
                None => select_token(answer, normed),
            };
            let output = part.forward(input, pass);
            self.sum(attended, output, pass)
        })
    }

    /// A branch with its residual sum, and its norms. `answer` says which token of each text the branch
    /// keeps, if it keeps one.
    fn sublayer(
        &self,
        x: Tensor<3>,
        norms: Norms<'_>,
        answer: Option<&Tensor<3>>,
        pass: &mut Pass,
        branch: impl FnOnce(Tensor<3>, &mut Pass) -> Tensor<3>,
    ) -> Tensor<3> {
        let norm = norms.norm.map(LayerNorm::operation);
        let input = match &norm {
            Some(norm) if self.placement.has_before() => pass.apply("norm", norm, x.clone()),
            _ => x.clone(),
        };
        let mut output = branch(input, pass);
        if self.placement.has_after_part() {
            // The only norm of the part, or its second one.
            output = match (norms.output, &norm) {
                (Some(second), _) => pass.apply("output-norm", &second.operation(), output),
                (None, Some(norm)) => pass.apply("norm", norm, output),
                (None, None) => output,
            };
        }
        let x = select_token(answer, x);
        let sum = self.sum(x, output, pass);
        match &norm {
            Some(norm) if self.placement == NormPlacement::After => pass.apply("norm", norm, sum),
            _ => sum,
        }
    }

    /// The residual sum of what came in and what a part made of it.
    fn sum(&self, x: Tensor<3>, output: Tensor<3>, pass: &mut Pass) -> Tensor<3> {
        let output = dropout(&self.dropout, output, pass);
        let output = match self.factor {
            Some(factor) => output * factor,
            None => output,
        };
        pass.apply("residual", &Residual, (x, output))
    }
}
