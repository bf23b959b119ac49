//! From token ids to the input of the first block.

use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig, Embedding, EmbeddingConfig, Initializer};
use burn::tensor::{Device, Tensor};
use relprop_rules::{Pass, operations::EmbeddingSum};

use super::{layer_norm::LayerNorm, transformer::drop};
use crate::{Batch, TransformerConfig};

/// The sum of word, position and segment embeddings, and its norm.
#[derive(Module, Debug)]
pub(super) struct Embeddings {
    word: Embedding,
    position: Embedding,
    token_type: Option<Embedding>,
    norm: Option<LayerNorm>,
    dropout: Dropout,
}

impl Embeddings {
    pub(super) fn new(config: &TransformerConfig, device: &Device) -> Self {
        let table = |rows: usize| {
            let std = config.initializer_range;
            EmbeddingConfig::new(rows, config.width)
                .with_initializer(Initializer::Normal { mean: 0.0, std })
                .init(device)
        };
        Self {
            word: table(config.vocabulary),
            position: table(config.positions),
            token_type: (config.token_types > 0).then(|| table(config.token_types)),
            norm: config
                .embedding_norm
                .map(|norm| LayerNorm::new(&norm, config.width, device)),
            dropout: DropoutConfig::new(config.dropout).init(),
        }
    }

    /// `[batch, position, feature]`.
    pub(super) fn forward(&self, batch: &Batch, pass: &mut Pass) -> Tensor<3> {
        let word = pass.signal("word", self.word.forward(batch.ids.clone()));
        let position = self.position.forward(batch.positions.clone());
        let mut others = vec![pass.signal("position", position)];
        if let Some(table) = &self.token_type {
            others.push(pass.signal("token-type", table.forward(batch.types.clone())));
        }
        let mut x = pass.apply("sum", &EmbeddingSum, (word, others));
        if let Some(norm) = &self.norm {
            x = pass.apply("norm", &norm.operation(), x);
        }
        drop(&self.dropout, x, pass)
    }
}
