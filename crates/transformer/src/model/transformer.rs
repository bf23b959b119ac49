//! The whole model: token ids, or pixels, to logits.

use burn::module::{Module, Param};
use burn::nn::{Dropout, DropoutConfig, Embedding, Linear};
use burn::tensor::{DType, Device, Tensor};
use relprop_rules::{
    Pass, Site,
    operations::{Linear as LinearMap, Norm, NormScale, Pooling},
};

use super::attention_context::{AttentionContexts, position_bias};
use super::block::Block;
use super::cap::cap;
use super::distances::Distances;
use super::dropout::dropout;
use super::embeddings::Embeddings;
use super::layer_norm::LayerNorm;
use super::linear::linear;
use super::output::{Transform, classifier, tied_bias};
use super::pooler::Pooler;
use crate::{
    AnswersAt, Batch, ConfigError, Dense, Distillation, Head, InputConfig, Outputs, PaddingSide,
    Picture, TokenizedText, TransformerConfig, VectorPooling,
};

/// What the head of a model gives.
#[derive(Clone, Debug)]
pub struct HeadOutput {
    /// The numbers of all answers, `[batch, answer x output]`.
    pub numbers: Tensor<2>,
    /// The states that the last map reads to make them, `[batch, answer, feature]`.
    pub state: Tensor<3>,
}

/// A Transformer that classifies texts, tokens or pictures, finds answers, continues texts, or makes vectors
/// of them.
#[derive(Module, Debug)]
pub struct Transformer {
    pub(super) embeddings: Embeddings,
    /// What the buckets of distances add to scores, where they do.
    position_bias: Option<Embedding>,
    /// The vectors of distances, in disentangled attention.
    distances: Option<Distances>,
    encoder: Vec<Block>,
    final_norm: Option<LayerNorm>,
    /// Back to the width of word embeddings, where they are projected by themselves.
    output_projection: Option<Linear>,
    pooler: Option<Pooler>,
    /// What stands before the logits of a masked token.
    transform: Option<Transform>,
    /// None where the table of word embeddings is the head, and where hidden states are the answer.
    classifier: Option<Linear>,
    /// The bias of the table of word embeddings, where that is the head and has one.
    classifier_bias: Option<Param<Tensor<1>>>,
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
        let final_norm = config.norm_placement.has_final();
        let own_blocks = match config.shared_blocks {
            true => config.blocks.min(1),
            false => config.blocks,
        };
        let patches = config.patches();
        let averaged =
            patches.is_some_and(|patches| patches.distillation == Distillation::Averaged);
        Ok(Self {
            embeddings: Embeddings::new(config, device),
            position_bias: position_bias(config, device),
            distances: Distances::new(config, device),
            encoder: (0..own_blocks)
                .map(|index| Block::new(config, index, device))
                .collect(),
            final_norm: final_norm.then(|| LayerNorm::new(&config.norm, config.width, device)),
            output_projection: (config.output_width() != config.width).then(|| {
                let std = config.initializer_range;
                linear(config.width, config.output_width(), std, false, device)
            }),
            pooler: config
                .pooler
                .map(|activation| Pooler::new(activation, config, device)),
            transform: Transform::new(config, device),
            classifier: classifier(config, device),
            classifier_bias: tied_bias(config, device),
            distillation_classifier: match averaged {
                true => classifier(config, device),
                false => None,
            },
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

    /// The same model, if it makes vectors of texts, with vectors that are normalized or not, and made by
    /// another `pooling`, if one is given.
    #[must_use]
    pub fn with_vectors(mut self, pooling: Option<VectorPooling>, normalized: bool) -> Self {
        if let Head::Vector {
            pooling: by,
            normalized: is,
            ..
        } = &mut self.config.head
        {
            *by = pooling.unwrap_or(*by);
            *is = normalized;
        }
        self
    }

    /// The parts and sizes of this model.
    pub fn config(&self) -> &TransformerConfig {
        &self.config
    }

    /// The device that the weights are on.
    pub fn device(&self) -> Device {
        self.embeddings.home().0
    }

    /// What the head says of each text, or picture: the numbers of its answer, `[batch, output]`, such as
    /// a logit a label or a token. Where a text has several answers, of the tokens that it
    /// [asks](TokenizedText::asked) or of each token, they stand one after another, the first token's
    /// first: `[batch, answer x output]`.
    ///
    /// Dropout is on only in a [training](Pass::training) pass. The signal `blocks` is the input of
    /// the first block, and `encoder.0.output` what it gives.
    ///
    /// # Panics
    ///
    /// If the batch holds a token id or a position that the model does not have, or texts for a model
    /// that reads pictures, or the other way round.
    pub fn forward(&self, batch: &Batch, pass: &mut Pass) -> Tensor<2> {
        self.forward_with_state(batch, pass).numbers
    }

    /// The same, with the states that the head reads.
    ///
    /// # Panics
    ///
    /// As [`Transformer::forward`].
    pub fn forward_with_state(&self, batch: &Batch, pass: &mut Pass) -> HeadOutput {
        // After the last attention, only the tokens that the head reads are of any use.
        let last = format!("encoder.{}.", self.config.blocks.saturating_sub(1));
        let narrow = !pass.is_training()
            && !pass.is_watched(&last)
            && !pass.is_watched("final-norm")
            && self.narrows();
        let answers = self.answers(batch);
        let answer = answers.as_ref().filter(|_| narrow);
        let x = self.hidden_states(batch, answer, pass);
        self.decide(x, answers.as_ref(), narrow, pass)
    }

    /// Whether the head reads single tokens alone.
    pub(super) fn narrows(&self) -> bool {
        let single = match self.config.head.answers_at() {
            AnswersAt::First | AnswersAt::Last => true,
            AnswersAt::Each | AnswersAt::Mean => false,
        };
        single && self.distillation_classifier.is_none()
    }

    /// What the last block made of every token to the numbers of all answers.
    /// It was `narrowed` if the last block gave no more than the `answers`.
    pub(super) fn decide(
        &self,
        x: Tensor<3>,
        answers: Option<&Tensor<3>>,
        narrowed: bool,
        pass: &mut Pass,
    ) -> HeadOutput {
        let mut x = self.normed(x, pass);
        let pooler = |x, pass: &mut Pass| match &self.pooler {
            Some(pooler) => pass.within("pooler", |pass| pooler.forward(x, pass)),
            None => x,
        };
        if self.config.pooler_first {
            x = pooler(x, pass);
        }
        if let Some(answers) = answers {
            let mut weights = answers.clone().cast(x.dtype());
            if narrowed && self.config.blocks > 0 {
                // Each answer stands in a row of its own now.
                let [texts, count, _] = weights.dims();
                let alone = Tensor::<2>::eye(count, &weights.device()).cast(x.dtype());
                let alone = alone.unsqueeze_dim::<3>(0).expand([texts, count, count]);
                weights = alone * weights.sum_dim(2);
            }
            if self.distillation_classifier.is_some() {
                // The token after the first, as well.
                let [_, _, positions] = weights.dims();
                let nothing = weights.zeros_like().narrow(2, 0, 1);
                let before = weights.clone().narrow(2, 0, positions - 1);
                let second = Tensor::cat(vec![nothing, before], 2);
                weights = Tensor::cat(vec![weights, second], 1);
            }
            x = pass.apply("pooling", &Pooling { weights }, x);
        }
        if !self.config.pooler_first {
            x = pooler(x, pass);
        }
        if let Some(transform) = &self.transform {
            x = pass.within("transform", |pass| transform.forward(x, pass));
        }
        HeadOutput {
            numbers: self.head(x.clone(), pass).flatten(1, 2),
            state: x,
        }
    }

    /// How much of each token's hidden state goes into each answer of the head, `[batch, answer,
    /// position]`; none where each token answers for itself.
    pub fn answers(&self, batch: &Batch) -> Option<Tensor<3>> {
        batch.answers(self.config.head.answers_at())
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

    /// `[batch, position, feature]` to `[batch, position, output]`; of two tokens with a
    /// classifier each, to the mean of their logits, `[batch, 1, label]`.
    fn head(&self, x: Tensor<3>, pass: &mut Pass) -> Tensor<3> {
        let x = dropout(&self.dropout, x, pass);
        if let Head::Vector {
            dense, normalized, ..
        } = self.config.head
        {
            return self.vector(dense, normalized, x, pass);
        }
        let head = match &self.classifier {
            Some(classifier) => LinearMap::from(classifier),
            None => LinearMap {
                weight: self.word_embeddings().transpose(),
                bias: self.classifier_bias.as_ref().map(|bias| bias.val()),
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

    /// Pooled hidden states, `[batch, 1, feature]`, to vectors, `[batch, 1, output]`. To divide a vector by
    /// its length is a norm: x / |x| = x / sqrt(n mean(x^2)), where n is the number of features.
    fn vector(
        &self,
        dense: Option<Dense>,
        normalized: bool,
        mut x: Tensor<3>,
        pass: &mut Pass,
    ) -> Tensor<3> {
        if let Some(classifier) = &self.classifier {
            x = pass.apply("classifier", &LinearMap::from(classifier), x);
        }
        if let Some(activation) = dense.and_then(|dense| dense.activation) {
            x = pass.apply("classifier-activation", &activation, x);
        }
        if !normalized {
            return x;
        }
        let features = x.dims()[2];
        let options = (&x.device().without_autodiff(), x.dtype());
        let length = Norm {
            scale: NormScale::RootMeanSquare(1e-30),
            gamma: Some(Tensor::full(
                [features],
                (features as f64).sqrt().recip(),
                options,
            )),
            beta: None,
        };
        pass.apply("length", &length, x)
    }

    /// Logits of a vocabulary after the divisor and the cap that the model may have for them.
    fn bounded(&self, logits: Tensor<3>, pass: &mut Pass) -> Tensor<3> {
        if self.config.head.outputs() != Outputs::Vocabulary {
            return logits;
        }
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

    /// One block, from `[batch, position, feature]` to the same. The last block, if `answer` marks
    /// one token of each text, gives `[batch, 1, feature]`.
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

    /// What the last block made, after the norm and the projection that may stand there.
    fn normed(&self, x: Tensor<3>, pass: &mut Pass) -> Tensor<3> {
        let x = match &self.final_norm {
            Some(norm) => pass.apply("final-norm", &norm.operation(), x),
            None => x,
        };
        match &self.output_projection {
            Some(map) => pass.apply("output-projection", &LinearMap::from(map), x),
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

    /// The sites between blocks, in the order of computation: `blocks`, then the output of each
    /// block. All relevance goes through each of them.
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
