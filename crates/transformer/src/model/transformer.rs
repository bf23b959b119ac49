//! The whole model: token ids, or pixels, to logits.

use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig, Linear};
use burn::tensor::{Bool, DType, Device, Int, Tensor};
use relprop_rules::{
    Pass, Site,
    operations::{Linear as LinearMap, Pooling},
};

use super::attention::AttentionContext;
use super::block::Block;
use super::dropout::dropout;
use super::embeddings::Embeddings;
use super::layer_norm::LayerNorm;
use super::linear::linear;
use super::pooler::Pooler;
use super::rotary::rotary;
use crate::{
    AnswersAt, Batch, ConfigError, Distillation, Head, InputConfig, NormPlacement, PaddingSide,
    Picture, TokenizedText, TransformerConfig,
};

/// A Transformer that classifies texts or pictures, or continues texts.
#[derive(Module, Debug)]
pub struct Transformer {
    pub(super) embeddings: Embeddings,
    encoder: Vec<Block>,
    final_norm: Option<LayerNorm>,
    pooler: Option<Pooler>,
    /// None if the head shares the table of word embeddings.
    classifier: Option<Linear>,
    distillation_classifier: Option<Linear>,
    dropout: Dropout,
    #[module(skip)]
    config: TransformerConfig,
}

impl Transformer {
    /// A model with freshly drawn weights, from the device's seed.
    ///
    /// # Errors
    ///
    /// A [`ConfigError`] if the configuration does not describe a model.
    pub fn new(config: &TransformerConfig, device: &Device) -> Result<Self, ConfigError> {
        config.check()?;
        let final_norm = matches!(config.norm_placement, NormPlacement::Before);
        let (has_classifier, bias) = match config.head {
            Head::Labels => (true, true),
            Head::NextToken { tied } => (!tied, false),
        };
        let std = config.initializer_range;
        let classifier = || linear(config.width, config.logits(), std, bias, device);
        let patches = config.patches();
        let averaged =
            patches.is_some_and(|patches| patches.distillation == Distillation::Averaged);
        Ok(Self {
            embeddings: Embeddings::new(config, device),
            encoder: (0..config.blocks)
                .map(|_| Block::new(config, device))
                .collect(),
            final_norm: final_norm.then(|| LayerNorm::new(&config.norm, config.width, device)),
            pooler: config
                .pooler
                .map(|activation| Pooler::new(activation, config, device)),
            classifier: has_classifier.then(classifier),
            distillation_classifier: averaged.then(classifier),
            dropout: DropoutConfig::new(config.dropout).init(),
            config: config.clone(),
        })
    }

    /// The same model over the embeddings of `donor`, norm included. Training does not change them
    /// and drops none of their numbers. Ali et al. 2022 trained their model this way.
    ///
    /// # Panics
    ///
    /// If this model was not configured [for them](TransformerConfig::with_embeddings_of).
    #[must_use]
    pub fn with_frozen_embeddings(self, donor: &Self) -> Self {
        let fits = self.config == self.config.clone().with_embeddings_of(&donor.config);
        assert!(fits, "the model is configured for other embeddings");
        let embeddings = donor.embeddings.clone().to_device(&self.device()).freeze();
        Self { embeddings, ..self }
    }

    /// The parts and sizes of this model.
    pub fn config(&self) -> &TransformerConfig {
        &self.config
    }

    /// The device that the weights are on.
    pub fn device(&self) -> Device {
        self.embeddings.home().0
    }

    /// The logits of each text, or picture, `[batch, label]`. For a language model, the logits of
    /// the token after the [answer token](Transformer::answer_tokens), `[batch, token]`.
    ///
    /// Dropout is on only in a [training](Pass::training) pass. The signal `blocks` is the input of
    /// the first block, and `encoder.0.output` what it gives.
    ///
    /// # Panics
    ///
    /// If the batch holds a token id or a position that the model does not have, or texts for a model
    /// that reads pictures, or the other way round.
    pub fn forward(&self, batch: &Batch, pass: &mut Pass) -> Tensor<2> {
        // After the last attention, only the token that the head reads is needed.
        let last = format!("encoder.{}.", self.encoder.len().saturating_sub(1));
        let narrow = !pass.is_training()
            && !pass.is_watched(&last)
            && !pass.is_watched("final-norm")
            && self.narrows();
        let answer = narrow.then(|| self.answer_tokens(batch));
        let x = self.hidden_states(batch, answer, pass);
        self.decide(x, batch, answer, pass)
    }

    /// Whether the head reads one token alone.
    pub(super) fn narrows(&self) -> bool {
        self.distillation_classifier.is_none()
    }

    /// From the output of the last block, for every token or for the `answer` token alone, to the
    /// logits, `[batch, label or token]`.
    pub(super) fn decide(
        &self,
        x: Tensor<3>,
        batch: &Batch,
        answer: Option<&Tensor<3>>,
        pass: &mut Pass,
    ) -> Tensor<2> {
        let x = self.normed(x, pass);
        let weights = match answer {
            Some(answer) if !self.encoder.is_empty() => answer.clone().sum_dim(2),
            _ => self.answer_tokens(batch).clone(),
        };
        let mut weights = weights.cast(x.dtype());
        if self.distillation_classifier.is_some() {
            // The second token too: DeiT's distillation token.
            let [_, _, positions] = weights.dims();
            let nothing = weights.zeros_like().narrow(2, 0, 1);
            let before = weights.clone().narrow(2, 0, positions - 1);
            let second = Tensor::cat(vec![nothing, before], 2);
            weights = Tensor::cat(vec![weights, second], 1);
        }
        let mut x = pass.apply("pooling", &Pooling { weights }, x);
        if let Some(pooler) = &self.pooler {
            x = pass.within("pooler", |pass| pooler.forward(x, pass));
        }
        self.head(x, pass).squeeze_dim(1)
    }

    /// 1 at the token of each text whose hidden state the head reads and 0 elsewhere,
    /// `[batch, 1, position]`.
    pub fn answer_tokens<'b>(&self, batch: &'b Batch) -> &'b Tensor<3> {
        match self.config.head.answers_at() {
            AnswersAt::First => &batch.first,
            AnswersAt::Last => &batch.last,
        }
    }

    /// The logits of the next token after each token, `[batch, position, token]`, for the training
    /// of a language model.
    ///
    /// # Panics
    ///
    /// As [`Transformer::forward`].
    pub fn forward_everywhere(&self, batch: &Batch, pass: &mut Pass) -> Tensor<3> {
        let x = self.hidden_states(batch, None, pass);
        let x = self.normed(x, pass);
        self.head(x, pass)
    }

    /// `[batch, position, feature]` to `[batch, position, label or token]`. If two tokens have a
    /// classifier each, the result is the mean of their logits, `[batch, 1, label]`.
    fn head(&self, x: Tensor<3>, pass: &mut Pass) -> Tensor<3> {
        let x = dropout(&self.dropout, x, pass);
        let head = match &self.classifier {
            Some(classifier) => LinearMap::from(classifier),
            None => LinearMap {
                weight: self.word_embeddings().transpose(),
                bias: None,
            },
        };
        let Some(second) = &self.distillation_classifier else {
            return pass.apply("classifier", &head, x);
        };
        let logits = pass.apply("classifier", &head, x.clone().narrow(1, 0, 1));
        let others = x.narrow(1, 1, 1);
        let others = pass.apply("distillation-classifier", &LinearMap::from(second), others);
        let both = Tensor::cat(vec![logits, others], 1);
        let [texts, ..] = both.dims();
        let options = (&both.device(), both.dtype());
        let weights = Tensor::full([texts, 1, 2], 0.5, options);
        pass.apply("average", &Pooling { weights }, both)
    }

    /// What the last block makes of every token, `[batch, position, feature]`; given which token of
    /// each text is the `answer`, of that one alone, `[batch, 1, feature]`.
    fn hidden_states(
        &self,
        batch: &Batch,
        answer: Option<&Tensor<3>>,
        pass: &mut Pass,
    ) -> Tensor<3> {
        let x = self.embed(batch, pass);
        let context = self.attention_context(batch, x.dtype());
        let blocks = 0..self.encoder.len();
        blocks.fold(x, |x, index| self.block(index, x, &context, answer, pass))
    }

    /// The input of the first block, `[batch, position, feature]`.
    pub(super) fn embed(&self, batch: &Batch, pass: &mut Pass) -> Tensor<3> {
        let x = pass.within("embeddings", |pass| self.embeddings.forward(batch, pass));
        pass.signal("blocks", x)
    }

    /// What attention in every block needs to know about the tokens of the batch.
    pub(super) fn attention_context(&self, batch: &Batch, dtype: DType) -> AttentionContext {
        let config = self.config.attention.rotary.as_ref();
        AttentionContext {
            hidden: self.hidden(batch),
            rotary: config.map(|config| rotary(config, self.config.head_width(), batch, dtype)),
        }
    }

    /// One block, from `[batch, position, feature]` to the same. The last block, if `answer` marks
    /// one token of each text, gives `[batch, 1, feature]`.
    pub(super) fn block(
        &self,
        index: usize,
        x: Tensor<3>,
        context: &AttentionContext,
        answer: Option<&Tensor<3>>,
        pass: &mut Pass,
    ) -> Tensor<3> {
        let answer = answer.filter(|_| index + 1 == self.encoder.len());
        pass.within(format_args!("encoder.{index}"), |pass| {
            let x = self.encoder[index].forward(x, context, answer, pass);
            pass.signal("output", x)
        })
    }

    fn normed(&self, x: Tensor<3>, pass: &mut Pass) -> Tensor<3> {
        match &self.final_norm {
            Some(norm) => pass.apply("final-norm", &norm.operation(), x),
            None => x,
        }
    }

    /// True where a token must not be looked at, `[batch, 1, 1 or query, key]`: at padding, and if
    /// attention is causal, after the token that looks, or too long before it.
    fn hidden(&self, batch: &Batch) -> Tensor<4, Bool> {
        let padding = batch.padding.clone().unsqueeze_dims::<4>(&[1, 2]);
        if !self.config.attention.causal {
            return padding;
        }
        let [texts, positions] = batch.padding.dims();
        let places = Tensor::<1, Int>::arange(0..positions as i64, &batch.padding.device());
        let square = [positions, positions];
        let query = places.clone().unsqueeze_dim::<2>(1).expand(square);
        let key = places.unsqueeze_dim::<2>(0).expand(square);
        // How far back a token looks. Padding stands before a text or after it, never inside.
        let back = query - key;
        let mut hidden = back.clone().lower_elem(0);
        if let Some(window) = self.config.attention.window {
            hidden = hidden.bool_or(back.greater_equal_elem(window as i64));
        }
        let shape = [texts, 1, positions, positions];
        let hidden = hidden.unsqueeze_dims::<4>(&[0, 1]).expand(shape);
        hidden.bool_or(padding.expand(shape))
    }

    /// The embedding of every token of the vocabulary, `[token, feature]`.
    ///
    /// # Panics
    ///
    /// If the model reads pictures.
    pub fn word_embeddings(&self) -> Tensor<2> {
        match &self.embeddings {
            Embeddings::Tokens(tokens) => tokens.words(),
            Embeddings::Patches(_) => panic!("a model that reads pictures has no word embeddings"),
        }
    }

    /// The sites between blocks, in the order of computation: `blocks`, then the output of each
    /// block. All relevance goes through each of them.
    pub fn boundaries(&self) -> Vec<String> {
        let outputs = (0..self.encoder.len()).map(|index| format!("encoder.{index}.output"));
        std::iter::once("blocks".to_owned())
            .chain(outputs)
            .collect()
    }

    /// Every site of this model, in the order of computation, with the shapes that a text of two
    /// tokens, or a picture, gives.
    pub fn sites(&self) -> Vec<Site> {
        let text = match self.config.input {
            InputConfig::Tokens { .. } => TokenizedText::padding(self.config.padding_token, 2),
            InputConfig::Patches(patches) => Picture::blank(patches).into_tokens(""),
        };
        let device = self.device().without_autodiff();
        let batch = Batch::new(
            [&text],
            self.config.padding_token,
            PaddingSide::Right,
            &device,
        );
        let mut trace = Pass::trace();
        self.forward(&batch, &mut trace);
        trace.into_sites()
    }
}
