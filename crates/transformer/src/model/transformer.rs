//! The whole model: token ids, or pixels, to logits.

use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig, Embedding, Linear};
use burn::tensor::{DType, Device, Tensor};
use relprop_rules::{
    Pass, Site,
    operations::{Linear as LinearMap, Pooling},
};

use super::attention_context::{AttentionContexts, position_bias};
use super::block::Block;
use super::cap::cap;
use super::distances::Distances;
use super::dropout::dropout;
use super::embeddings::Embeddings;
use super::layer_norm::LayerNorm;
use super::linear::linear;
use super::pooler::Pooler;
use crate::{
    AnswersAt, Batch, ConfigError, Distillation, Head, InputConfig, PaddingSide, Picture,
    TokenizedText, TransformerConfig,
};

/// A Transformer that classifies texts or pictures, or continues texts.
#[derive(Module, Debug)]
pub struct Transformer {
    pub(super) embeddings: Embeddings,
    /// What the buckets of distances add to scores, where they do.
    position_bias: Option<Embedding>,
    /// The vectors of distances, in disentangled attention.
    distances: Option<Distances>,
    encoder: Vec<Block>,
    final_norm: Option<LayerNorm>,
    pooler: Option<Pooler>,
    /// None where the table of word embeddings is the head.
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
    /// A [`ConfigError`] if the configuration makes no model.
    pub fn new(config: &TransformerConfig, device: &Device) -> Result<Self, ConfigError> {
        config.check()?;
        let final_norm = config.norm_placement.has_final();
        let (has_classifier, bias) = match config.head {
            Head::Labels => (true, true),
            Head::NextToken { tied } => (!tied, config.biases.next_token),
        };
        let own_blocks = match config.shared_blocks {
            true => config.blocks.min(1),
            false => config.blocks,
        };
        let std = config.initializer_range;
        let classifier = || linear(config.width, config.logits(), std, bias, device);
        let patches = config.patches();
        let averaged =
            patches.is_some_and(|patches| patches.distillation == Distillation::Averaged);
        Ok(Self {
            embeddings: Embeddings::new(config, device),
            position_bias: position_bias(config, device),
            distances: Distances::new(config, device),
            encoder: (0..own_blocks)
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

    /// The same model over the embeddings of `donor`, norm included, which training leaves as they
    /// are and without dropout: how Ali et al. 2022 trained theirs.
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

    /// The logits of each text, or picture, `[batch, label]`; of a language model, those of the token
    /// after the one that [answers](Transformer::answer_tokens), `[batch, token]`.
    ///
    /// Dropout is on only in a [training](Pass::training) pass. The signal `blocks` is the input of
    /// the first block, and `encoder.0.output` what it gives.
    ///
    /// # Panics
    ///
    /// If the batch holds a token id or a position that the model does not have, or texts for a model
    /// that reads pictures, or the other way round.
    pub fn forward(&self, batch: &Batch, pass: &mut Pass) -> Tensor<2> {
        // After the last attention, only the token that the head reads is of any use.
        let last = format!("encoder.{}.", self.config.blocks.saturating_sub(1));
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

    /// What the last block made of every token, or of the one that is the `answer` alone, to the
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
            // The token after the first, as well.
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

    /// The logits of the token after each one, `[batch, position, token]`, of a language model: what
    /// it is trained on.
    ///
    /// # Panics
    ///
    /// As [`Transformer::forward`].
    pub fn forward_everywhere(&self, batch: &Batch, pass: &mut Pass) -> Tensor<3> {
        let x = self.hidden_states(batch, None, pass);
        let x = self.normed(x, pass);
        self.head(x, pass)
    }

    /// `[batch, position, feature]` to `[batch, position, label or token]`; of two tokens with a
    /// classifier each, to the mean of their logits, `[batch, 1, label]`.
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
            return self.bounded(pass.apply("classifier", &head, x), pass);
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

    /// Logits after the divisor and the cap that the model may have for them.
    fn bounded(&self, logits: Tensor<3>, pass: &mut Pass) -> Tensor<3> {
        let logits = match self.config.logit_divisor {
            Some(divisor) => logits * divisor.recip(),
            None => logits,
        };
        match self.config.logit_cap {
            Some(size) => cap("logit-cap", size, logits, pass),
            None => logits,
        }
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
        let contexts = self.attention_contexts(batch, x.dtype());
        let blocks = 0..self.config.blocks;
        blocks.fold(x, |x, index| self.block(index, x, &contexts, answer, pass))
    }

    /// The input of the first block, `[batch, position, feature]`.
    pub(super) fn embed(&self, batch: &Batch, pass: &mut Pass) -> Tensor<3> {
        let x = pass.within("embeddings", |pass| self.embeddings.forward(batch, pass));
        pass.signal("blocks", x)
    }

    /// What attention in each block needs to know about the tokens of the batch.
    pub(super) fn attention_contexts(&self, batch: &Batch, dtype: DType) -> AttentionContexts {
        let table = self.position_bias.as_ref().map(|table| table.weight.val());
        AttentionContexts::new(&self.config, table, self.distances.as_ref(), batch, dtype)
    }

    /// One block, `[batch, position, feature]` to the same; the last one, given which token of each
    /// text is the `answer`, to `[batch, 1, feature]`.
    pub(super) fn block(
        &self,
        index: usize,
        x: Tensor<3>,
        contexts: &AttentionContexts,
        answer: Option<&Tensor<3>>,
        pass: &mut Pass,
    ) -> Tensor<3> {
        let answer = answer.filter(|_| index + 1 == self.config.blocks);
        let block = match self.config.shared_blocks {
            true => &self.encoder[0],
            false => &self.encoder[index],
        };
        pass.within(format_args!("encoder.{index}"), |pass| {
            let x = block.forward(x, contexts.of(index), answer, pass);
            pass.signal("output", x)
        })
    }

    fn normed(&self, x: Tensor<3>, pass: &mut Pass) -> Tensor<3> {
        match &self.final_norm {
            Some(norm) => pass.apply("final-norm", &norm.operation(), x),
            None => x,
        }
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

    /// The sites between blocks, in the order of computation: `blocks`, then the output of each block.
    /// All relevance comes through each of them.
    pub fn boundaries(&self) -> Vec<String> {
        let outputs = (0..self.config.blocks).map(|index| format!("encoder.{index}.output"));
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
