//! The whole model: token ids to logits.

use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig, Linear};
use burn::tensor::{Device, Tensor};
use relprop_rules::{
    Pass, Site,
    operations::{Linear as LinearMap, Pooling},
};

use super::block::Block;
use super::embeddings::Embeddings;
use super::layer_norm::LayerNorm;
use super::linear::linear;
use super::pooler::Pooler;
use crate::{Batch, ConfigError, NormPlacement, PaddingSide, TokenizedText, TransformerConfig};

/// A Transformer that classifies texts.
#[derive(Module, Debug)]
pub struct Transformer {
    embeddings: Embeddings,
    encoder: Vec<Block>,
    final_norm: Option<LayerNorm>,
    pooler: Option<Pooler>,
    pub(super) classifier: Linear,
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
        let final_norm = matches!(config.norm_placement, NormPlacement::Before);
        let labels = config.labels.len();
        Ok(Self {
            embeddings: Embeddings::new(config, device),
            encoder: (0..config.blocks)
                .map(|_| Block::new(config, device))
                .collect(),
            final_norm: final_norm.then(|| LayerNorm::new(&config.norm, config.width, device)),
            pooler: config
                .pooler
                .map(|activation| Pooler::new(activation, config, device)),
            classifier: linear(config.width, labels, config.initializer_range, device),
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
        self.classifier.weight.device()
    }

    /// The logits of each text, `[batch, label]`.
    ///
    /// Dropout is on only in a [training](Pass::training) pass. The signal `blocks` is the input of
    /// the first block, and `encoder.0.output` what it gives.
    ///
    /// # Panics
    ///
    /// If the batch holds a token id or a position that the model does not have.
    pub fn forward(&self, batch: &Batch, pass: &mut Pass) -> Tensor<2> {
        let x = pass.within("embeddings", |pass| self.embeddings.forward(batch, pass));
        let mut x = pass.signal("blocks", x);

        let hidden = batch.padding.clone().unsqueeze_dims::<4>(&[1, 2]);
        for (index, block) in self.encoder.iter().enumerate() {
            x = pass.within(format_args!("encoder.{index}"), |pass| {
                let x = block.forward(x, hidden.clone(), pass);
                pass.signal("output", x)
            });
        }
        if let Some(norm) = &self.final_norm {
            x = pass.apply("final-norm", &norm.operation(), x);
        }

        let mut x = pass.apply(
            "pooling",
            &Pooling {
                weights: batch.first.clone().cast(x.dtype()),
            },
            x,
        );
        if let Some(pooler) = &self.pooler {
            x = pass.within("pooler", |pass| pooler.forward(x, pass));
        }
        let x = drop(&self.dropout, x, pass);
        pass.apply("classifier", &LinearMap::from(&self.classifier), x)
            .squeeze_dim(1)
    }

    /// The embedding of every token of the vocabulary, `[token, feature]`.
    pub fn word_embeddings(&self) -> Tensor<2> {
        self.embeddings.words()
    }

    /// The sites between blocks, in the order of computation: `blocks`, then the output of each block.
    /// All relevance comes through each of them.
    pub fn boundaries(&self) -> Vec<String> {
        let outputs = (0..self.encoder.len()).map(|index| format!("encoder.{index}.output"));
        std::iter::once("blocks".to_owned())
            .chain(outputs)
            .collect()
    }

    /// Every site of this model, in the order of computation, with the shapes that a text of two
    /// tokens gives.
    pub fn sites(&self) -> Vec<Site> {
        let text = TokenizedText::padding(self.config.padding_token, 2);
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

/// Dropout, in a training pass only.
pub(super) fn drop<const D: usize>(dropout: &Dropout, x: Tensor<D>, pass: &Pass) -> Tensor<D> {
    if pass.is_training() {
        dropout.forward(x)
    } else {
        x
    }
}
