//! The whole model: token ids, or pixels, to logits.

use burn::module::{Module, Param};
use burn::nn::{Dropout, DropoutConfig, Embedding, Linear};
use burn::tensor::{Device, Tensor};
use relprop_rules::{Pass, Site};

use super::attention_context::position_bias;
use super::attention_pooling::AttentionPooling;
use super::block::Block;
use super::decoder::Decoder;
use super::distances::Distances;
use super::embeddings::Embeddings;
use super::layer_norm::LayerNorm;
use super::linear::linear;
use super::output::{Transform, classifier, second_classifier, tied_bias};
use super::pooler::Pooler;
use super::windows::Merging;
use crate::{
    AnswersAt, Batch, ConfigError, Distillation, Head, InputConfig, PaddingSide, Picture,
    TokenizedText, TransformerConfig, VectorPooling,
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
    pub(super) position_bias: Option<Embedding>,
    /// The vectors of distances, in disentangled attention.
    pub(super) distances: Option<Distances>,
    encoder: Vec<Block>,
    /// Of a model that reads one text and writes another.
    pub(super) decoder: Option<Decoder>,
    /// What stands after each block, where it is the last of a stage.
    pub(super) merging: Vec<Option<Merging>>,
    pub(super) final_norm: Option<LayerNorm>,
    /// Back to the width of word embeddings, where they are projected by themselves.
    pub(super) output_projection: Option<Linear>,
    /// In the place of other ways to pool.
    pub(super) attention_pooling: Option<AttentionPooling>,
    pub(super) pooler: Option<Pooler>,
    /// What stands before the logits of a masked token.
    pub(super) transform: Option<Transform>,
    /// None where the table of word embeddings is the head, and where hidden states are the answer.
    pub(super) classifier: Option<Linear>,
    /// The map after it, of vectors that go through two.
    pub(super) second_classifier: Option<Linear>,
    /// The bias of the table of word embeddings, where that is the head and has one.
    pub(super) classifier_bias: Option<Param<Tensor<1>>>,
    pub(super) distillation_classifier: Option<Linear>,
    pub(super) dropout: Dropout,
    #[module(skip)]
    pub(super) config: TransformerConfig,
}

impl Transformer {
    /// A model with freshly drawn weights, from the device's seed.
    ///
    /// # Errors
    ///
    /// A [`ConfigError`] if the configuration does not describe a model.
    pub fn new(config: &TransformerConfig, device: &Device) -> Result<Self, ConfigError> {
        config.check()?;
        Ok(Self::drawn(config, device))
    }

    /// A model whose weights are all zero, until others are read into it.
    ///
    /// # Errors
    ///
    /// As [`Transformer::new`].
    pub fn zeros(config: &TransformerConfig, device: &Device) -> Result<Self, ConfigError> {
        config.check()?;
        let undrawn = TransformerConfig {
            initializer_range: 0.0,
            ..config.clone()
        };
        Ok(Self {
            config: config.clone(),
            ..Self::drawn(&undrawn, device)
        })
    }

    fn drawn(config: &TransformerConfig, device: &Device) -> Self {
        let final_norm = config.norm_placement.has_final();
        let own_blocks = match config.shared_blocks {
            true => config.blocks.min(1),
            false => config.blocks,
        };
        let patches = config.patches();
        let averaged =
            patches.is_some_and(|patches| patches.distillation == Distillation::Averaged);
        Self {
            embeddings: Embeddings::new(config, device),
            position_bias: position_bias(config, false, device),
            distances: Distances::new(config, device),
            encoder: (0..own_blocks)
                .map(|index| Block::new(&config.at_block(index), index, device))
                .collect(),
            decoder: Decoder::new(config, device),
            merging: (0..own_blocks)
                .filter(|_| config.stages.is_some())
                .map(|index| Merging::new(config, index, device))
                .collect(),
            final_norm: final_norm
                .then(|| LayerNorm::new(&config.norm, config.last_width(), device)),
            output_projection: (config.output_width() != config.last_width()).then(|| {
                let std = config.initializer_range;
                linear(config.width, config.output_width(), std, false, device)
            }),
            attention_pooling: AttentionPooling::new(config, device),
            pooler: config
                .pooler
                .map(|activation| Pooler::new(activation, config, device)),
            transform: Transform::new(config, device),
            classifier: classifier(config, device),
            second_classifier: second_classifier(config, device),
            classifier_bias: tied_bias(config, device),
            distillation_classifier: match averaged {
                true => classifier(config, device),
                false => None,
            },
            dropout: DropoutConfig::new(config.dropout).init(),
            config: config.clone(),
        }
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

    /// The same model, if it makes vectors, with vectors that are normalized or not, and made by another `pooling`, if one is
    /// given. The mean of a picture is that of its patches.
    ///
    /// # Errors
    ///
    /// A [`ConfigError`] if the model cannot pool in this way.
    pub fn with_vectors(
        mut self,
        pooling: Option<VectorPooling>,
        normalized: bool,
    ) -> Result<Self, ConfigError> {
        let reads_pictures = self.config.patches().is_some();
        if let Head::Vector {
            pooling: by,
            normalized: is,
            ..
        } = &mut self.config.head
        {
            *by = match pooling {
                Some(VectorPooling::Mean) if reads_pictures => VectorPooling::Patches,
                other => other.unwrap_or(*by),
            };
            *is = normalized;
            if *by != VectorPooling::Attention {
                self.attention_pooling = None;
            }
        }
        self.config.check()?;
        Ok(self)
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
        let last = self.config.all_blocks().saturating_sub(1);
        let last = format!("{}.", self.config.block_name(last));
        let narrow = !pass.is_training()
            && !pass.is_watched(&last)
            && !pass.is_watched("final-norm")
            && self.narrows();
        let answers = self.answers(batch);
        let answer = answers.as_ref().filter(|_| narrow);
        let x = self.hidden_states(batch, answer, pass);
        let (x, answers) = match narrow {
            true => (x, answers),
            false => self.of_output(batch, x, answers),
        };
        self.decide(x, answers.as_ref(), narrow, pass)
    }

    /// Whether the head reads single tokens alone.
    pub(super) fn narrows(&self) -> bool {
        let single = match self.config.head.answers_at() {
            AnswersAt::First | AnswersAt::Last => true,
            AnswersAt::Each
            | AnswersAt::Mean
            | AnswersAt::Attended
            | AnswersAt::Patches
            | AnswersAt::FirstAndPatches => false,
        };
        single && self.distillation_classifier.is_none()
    }

    /// How much of each token's hidden state goes into each answer of the head, `[batch, answer,
    /// position]`; none where each token answers for itself.
    pub fn answers(&self, batch: &Batch) -> Option<Tensor<3>> {
        batch.answers(self.config.head.answers_at())
    }

    /// The logits of the next token after each token, `[batch, position, token]`, for the training
    /// of a language model; where there is a decoder, after each token of the output.
    ///
    /// # Panics
    ///
    /// As [`Transformer::forward`].
    pub fn forward_everywhere(&self, batch: &Batch, pass: &mut Pass) -> Tensor<3> {
        let x = self.hidden_states(batch, None, pass);
        let (x, _) = self.of_output(batch, x, None);
        let x = self.normed(x, pass);
        self.head(x, pass)
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
        let contexts = self.contexts(batch, x.dtype());
        let blocks = 0..self.config.all_blocks();
        blocks.fold(x, |x, index| self.block(index, x, &contexts, answer, pass))
    }

    /// The input of the first block, `[batch, position, feature]`.
    pub(super) fn embed(&self, batch: &Batch, pass: &mut Pass) -> Tensor<3> {
        let x = pass.within("embeddings", |pass| self.embeddings.forward(batch, pass));
        pass.signal("blocks", x)
    }

    /// Block `index` of the encoder.
    pub(super) fn encoder_block(&self, index: usize) -> &Block {
        match self.config.shared_blocks {
            true => &self.encoder[0],
            false => &self.encoder[index],
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
        let blocks = 0..self.config.all_blocks();
        let outputs = blocks.map(|index| format!("{}.output", self.config.block_name(index)));
        std::iter::once("blocks".to_owned())
            .chain(outputs)
            .collect()
    }

    /// Every site of this model, in the order of computation, with the shapes that a text of two
    /// tokens, or a picture, gives; where there is a decoder, a source and an output of two tokens each.
    pub fn sites(&self) -> Vec<Site> {
        let text = match self.config.input {
            InputConfig::Tokens { .. } => {
                let length = self.config.traced_positions();
                let text = TokenizedText::padding(self.config.padding_token, length);
                match self.config.decoder {
                    Some(_) => text.with_source(length / 2),
                    None => text,
                }
            }
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
