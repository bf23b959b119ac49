//! One block: attention, cross-attention in a decoder, then a feed-forward part, each with its residual sum and norm; or
//! attention and the feed-forward part side by side.

use burn::module::{Module, Param};
use burn::nn::{Dropout, DropoutConfig, Initializer};
use burn::tensor::{Device, Tensor};
use relprop_rules::{Pass, operations::Residual, precision::widen};

use super::attention::{Asked, Attention, AttentionContext, merge, select_token};
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
    /// What each feature of a part is multiplied by before its residual sum, `[feature]`.
    attention_scale: Option<Param<Tensor<1>>>,
    feed_forward_scale: Option<Param<Tensor<1>>>,
    dropout: Dropout,
    #[module(skip)]
    placement: NormPlacement,
    #[module(skip)]
    branches: Branches,
    /// What a part is multiplied by before its residual sum.
    #[module(skip)]
    factor: Option<f64>,
}

/// What stands around one part of a block: its norms, and the factors of its features.
#[derive(Clone, Copy)]
struct Around<'a> {
    norm: Option<&'a LayerNorm>,
    output: Option<&'a LayerNorm>,
    scale: Option<&'a Param<Tensor<1>>>,
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
        let scale = || {
            let ones = || Initializer::Ones.init([config.width], device);
            config.layer_scale.then(ones)
        };
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
            attention_scale: scale(),
            feed_forward_scale: scale().filter(|_| has_part),
            dropout: DropoutConfig::new(config.dropout).init(),
            placement: config.norm_placement,
            branches: config.branches,
            factor: config.branch_factor,
        }
    }

    /// The same with cross-attention, which is like its attention.
    pub(super) fn with_cross_attention(self, config: &TransformerConfig, device: &Device) -> Self {
        // Positions say nothing between two texts.
        let mut unplaced = config.clone();
        unplaced.attention.bias = None;
        Self {
            cross_attention: Some(Attention::new(&unplaced, device)),
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
        let around = Around {
            norm: self.attention_norm.as_ref(),
            output: self.attention_output_norm.as_ref(),
            scale: self.attention_scale.as_ref(),
        };
        let x = pass.within("attention", |pass| {
            self.sublayer(x, around, answer, pass, |x, pass| {
                let Some(windows) = &context.windows else {
                    return self.attention.forward(x, context, answer, pass);
                };
                let x = self.attention.forward(windows.cut(x), context, None, pass);
                windows.join(x)
            })
        });
        let x = match (&self.cross_attention, memory) {
            (Some(attention), Some((keys, context))) => pass.within("cross-attention", |pass| {
                let around = Around {
                    norm: self.cross_attention_norm.as_ref(),
                    output: None,
                    scale: None,
                };
                self.sublayer(x, around, None, pass, |x, pass| {
                    attention.between(x, keys.clone(), context, None, pass)
                })
            }),
            _ => x,
        };
        let Some(norm) = &self.feed_forward_norm else {
            return x;
        };
        let around = Around {
            norm: Some(norm),
            output: self.feed_forward_output_norm.as_ref(),
            scale: self.feed_forward_scale.as_ref(),
        };
        pass.within("feed-forward", |pass| {
            self.sublayer(x, around, None, pass, |x, pass| {
                match (&self.feed_forward, &self.experts) {
                    (Some(part), _) => part.forward(x, pass),
                    (None, Some(experts)) => experts.forward(x, pass),
                    (None, None) => x,
                }
            })
        })
    }

    /// What its attention asks of `x`, `[batch, position, feature]`.
    pub(super) fn asked(
        &self,
        x: Tensor<3>,
        context: &AttentionContext,
        answer: Option<&Tensor<3>>,
        pass: &mut Pass,
    ) -> Asked {
        pass.within("attention", |pass| {
            let x = self.attended(x, pass);
            self.attention.asked(x.clone(), x, context, answer, pass)
        })
    }

    /// What the heads of its attention mix, `[batch, query, feature of all heads]`.
    pub(super) fn mix(
        &self,
        asked: Asked,
        context: &AttentionContext,
        pass: &mut Pass,
    ) -> Tensor<3> {
        pass.within("attention", |pass| {
            merge(self.attention.mix(asked, context, pass))
        })
    }

    /// What its attention reads: `x`, after the norm that stands before it.
    fn attended(&self, x: Tensor<3>, pass: &mut Pass) -> Tensor<3> {
        let before = self.branches != Branches::InTurn || self.placement.has_before();
        match self.attention_norm.as_ref().filter(|_| before) {
            Some(norm) => pass.apply("norm", &norm.operation(), x),
            None => x,
        }
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
            let normed = self.attended(x.clone(), pass);
            let output = self
                .attention
                .forward(normed.clone(), context, answer, pass);
            let x = select_token(answer, x.clone());
            (
                normed,
                self.sum(x, output, self.attention_scale.as_ref(), pass),
            )
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
            self.sum(attended, output, self.feed_forward_scale.as_ref(), pass)
        })
    }

    /// A branch with its residual sum, and what stands around it. `answer` says which token of each text the branch
    /// keeps, if it keeps one.
    fn sublayer(
        &self,
        x: Tensor<3>,
        around: Around<'_>,
        answer: Option<&Tensor<3>>,
        pass: &mut Pass,
        branch: impl FnOnce(Tensor<3>, &mut Pass) -> Tensor<3>,
    ) -> Tensor<3> {
        let norm = around.norm.map(LayerNorm::operation);
        let input = match &norm {
            Some(norm) if self.placement.has_before() => pass.apply("norm", norm, x.clone()),
            _ => x.clone(),
        };
        let mut output = branch(input, pass);
        if self.placement.has_after_part() {
            // The only norm of the part, or its second one.
            output = match (around.output, &norm) {
                (Some(second), _) => pass.apply("output-norm", &second.operation(), output),
                (None, Some(norm)) => pass.apply("norm", norm, output),
                (None, None) => output,
            };
        }
        let x = select_token(answer, x);
        let sum = self.sum(x, output, around.scale, pass);
        match &norm {
            Some(norm) if self.placement == NormPlacement::After => pass.apply("norm", norm, sum),
            _ => sum,
        }
    }

    /// The residual sum of what came in and what a part made of it. A factor changes no relevance: each number that it
    /// multiplies hands all of its own on, under any rule.
    fn sum(
        &self,
        x: Tensor<3>,
        output: Tensor<3>,
        scale: Option<&Param<Tensor<1>>>,
        pass: &mut Pass,
    ) -> Tensor<3> {
        let output = dropout(&self.dropout, output, pass);
        let output = match self.factor {
            Some(factor) => output * factor,
            None => output,
        };
        let output = match scale {
            Some(scale) => output * widen(scale.val()).unsqueeze(),
            None => output,
        };
        pass.apply("residual", &Residual, (x, output))
    }
}
