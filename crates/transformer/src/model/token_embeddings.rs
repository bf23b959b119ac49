//! From token ids to the input of the first block.

use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig, Embedding, EmbeddingConfig, Linear};
use burn::tensor::{Bool, DType, Device, Int, Tensor};
use relprop_rules::{
    Pass,
    operations::{EmbeddingSum, Linear as LinearMap},
    precision::widen,
};

use super::{dropout::dropout, layer_norm::LayerNorm, linear::linear, linear::normal};
use crate::{Sinusoids, TransformerConfig};

/// The sum of word, position and segment embeddings, its norm, and its projection if hidden states
/// have another width.
#[derive(Module, Debug)]
pub(super) struct TokenEmbeddings {
    word: Embedding,
    position: Option<Embedding>,
    token_type: Option<Embedding>,
    /// Of the tasks, of which the first is read.
    task: Option<Embedding>,
    norm: Option<LayerNorm>,
    /// What the decoder has of its own.
    output: Option<OutputEmbeddings>,
    projection: Option<Linear>,
    dropout: Dropout,
    #[module(skip)]
    first_position: usize,
    /// Whether padding within a text takes a place like other tokens.
    #[module(skip)]
    counted_padding: bool,
    #[module(skip)]
    sinusoids: Option<Sinusoids>,
    /// The token that has no place of its own, where the first rows of the position table are for it.
    #[module(skip)]
    padding_token: i64,
    /// Whether the projection is that of word embeddings alone.
    #[module(skip)]
    projects_words: bool,
    /// The factor of word embeddings.
    #[module(skip)]
    scale: Option<f64>,
    /// The token whose embedding is nothing.
    #[module(skip)]
    dropped: Option<u32>,
}

/// What is added to the embeddings of an output, whose words are those of the source, and its norm.
#[derive(Module, Debug)]
struct OutputEmbeddings {
    position: Option<Embedding>,
    norm: Option<LayerNorm>,
}

impl TokenEmbeddings {
    pub(super) fn new(vocabulary: usize, config: &TransformerConfig, device: &Device) -> Self {
        let std = config.initializer_range;
        let words = config.embedding_width.unwrap_or(config.width);
        let early = config.projected_words;
        let width = if early { config.width } else { words };
        let table = |rows: usize, width: usize| {
            EmbeddingConfig::new(rows, width)
                .with_initializer(normal(std))
                .init(device)
        };
        let position = || {
            let has = config.has_position_table();
            has.then(|| table(config.first_position + config.positions, width))
        };
        let norm = || {
            let norm = config.embedding_norm;
            norm.map(|norm| LayerNorm::new(&norm, width, device))
        };
        Self {
            word: table(vocabulary, words),
            position: position(),
            token_type: (config.token_types > 0).then(|| table(config.token_types, width)),
            task: (config.tasks > 0).then(|| table(config.tasks, width)),
            norm: norm(),
            output: config.decoder.map(|_| OutputEmbeddings {
                position: position(),
                norm: norm(),
            }),
            projection: (words != config.width)
                .then(|| linear(words, config.width, std, !early, device)),
            projects_words: early,
            dropout: DropoutConfig::new(config.dropout).init(),
            first_position: config.first_position,
            counted_padding: config.counted_padding,
            sinusoids: config.sinusoids,
            padding_token: config.padding_token.into(),
            scale: config.word_factor(),
            dropped: config.dropped_token,
        }
    }

    /// The table of word embeddings, for a head that shares it, `[token, feature]`.
    pub(super) fn words(&self) -> Tensor<2> {
        self.word.weight.val()
    }

    /// The row of the position table for each token, as RoBERTa counts: padding stands in the row before
    /// the first, wherever it is, even within a text, and takes no place; other tokens stand one after
    /// another.
    fn rows_after_padding(&self, ids: &Tensor<2, Int>, first: usize) -> Tensor<2, Int> {
        let counted = ids.clone().not_equal_elem(self.padding_token).int();
        let places = counted.clone().cumsum(1);
        places * counted + (first as i64 - 1)
    }

    /// What the positions of tokens add to their embeddings, `[batch, position, feature]`, if they do. `ids` and
    /// `positions`, counted from 0: `[batch, position]`.
    fn placed(
        &self,
        ids: &Tensor<2, Int>,
        positions: &Tensor<2, Int>,
        table: &Option<Embedding>,
        dtype: DType,
        pass: &mut Pass,
    ) -> Option<Tensor<3>> {
        let rows = || match self.first_position {
            0 => positions.clone(),
            first if self.counted_padding => positions.clone() + first as i64,
            first => self.rows_after_padding(ids, first),
        };
        let found = match (table, self.sinusoids) {
            (Some(table), _) => widen(table.forward(rows())),
            (None, Some(sinusoids)) => {
                let [_, width] = self.word.weight.dims();
                let [_, length] = ids.dims();
                let count = self.first_position + length;
                sinusoids.at(rows(), count, width, dtype)
            }
            (None, None) => return None,
        };
        Some(pass.signal("position", found))
    }

    /// The sum of word embeddings and `others`, and its norm.
    fn summed(
        &self,
        word: Tensor<3>,
        others: Vec<Tensor<3>>,
        norm: &Option<LayerNorm>,
        pass: &mut Pass,
    ) -> Tensor<3> {
        let x = pass.apply("sum", &EmbeddingSum, (word, others));
        match norm {
            Some(norm) => pass.apply("norm", &norm.operation(), x),
            None => x,
        }
    }

    /// From the ids of tokens, of their segments and of their positions, each `[batch, position]`, to
    /// `[batch, position, feature]`. `padding` is true where there is no token; the first `source` positions are those
    /// of a source, where there is a decoder.
    pub(super) fn forward(
        &self,
        [ids, types, positions]: [&Tensor<2, Int>; 3],
        padding: &Tensor<2, Bool>,
        source: usize,
        pass: &mut Pass,
    ) -> Tensor<3> {
        let word = widen(self.word.forward(ids.clone()));
        let word = match self.scale {
            Some(scale) => word * scale,
            None => word,
        };
        let word = match self.dropped {
            Some(token) => without(word, ids.clone().equal_elem(token as i64), padding),
            None => word,
        };
        let mut word = pass.signal("word", word);
        let [early, late] = match self.projects_words {
            true => [self.projection.as_ref(), None],
            false => [None, self.projection.as_ref()],
        };
        if let Some(projection) = early {
            word = pass.apply("projection", &LinearMap::from(projection), word);
        }
        let dtype = word.dtype();
        let x = match &self.output {
            Some(output) => {
                let parts = [0..source, source..word.dims()[1]];
                let [source, written] = parts.map(|columns| {
                    let (start, length) = (columns.start, columns.len());
                    let cut = |x: &Tensor<2, Int>| x.clone().narrow(1, start, length);
                    (
                        cut(ids),
                        cut(positions),
                        word.clone().narrow(1, start, length),
                    )
                });
                type Part = (Tensor<2, Int>, Tensor<2, Int>, Tensor<3>);
                let placed = |(ids, positions, word): Part, table, norm, pass: &mut Pass| {
                    let positions = self.placed(&ids, &positions, table, dtype, pass);
                    self.summed(word, positions.into_iter().collect(), norm, pass)
                };
                let x = placed(source, &self.position, &self.norm, pass);
                let output = pass.within("output", |pass| {
                    placed(written, &output.position, &output.norm, pass)
                });
                Tensor::cat(vec![x, output], 1)
            }
            None => {
                let mut others: Vec<_> = self
                    .placed(ids, positions, &self.position, dtype, pass)
                    .into_iter()
                    .collect();
                if let Some(table) = &self.token_type {
                    let token_type = widen(table.forward(types.clone()));
                    others.push(pass.signal("token-type", token_type));
                }
                if let Some(table) = &self.task {
                    let first = widen(table.weight.val()).narrow(0, 0, 1);
                    let task = first.unsqueeze_dim::<3>(0).expand(word.dims());
                    others.push(pass.signal("task", task));
                }
                self.summed(word, others, &self.norm, pass)
            }
        };
        let x = dropout(&self.dropout, x, pass);
        match late {
            Some(projection) => pass.apply("projection", &LinearMap::from(projection), x),
            None => x,
        }
    }
}

/// The share of tokens that stayed when ESM was trained: of 15%, four fifths were masks.
const STAYED: f64 = 1.0 - 0.15 * 0.8;

/// Word embeddings, `[batch, position, feature]`, without those that are `dropped`, and with the others as
/// large as if as many were dropped as in training. Where all are, there is nothing left.
fn without(word: Tensor<3>, dropped: Tensor<2, Bool>, padding: &Tensor<2, Bool>) -> Tensor<3> {
    let count = |marks: Tensor<2, Bool>| marks.float().cast(word.dtype()).sum_dim(1);
    let tokens = count(padding.clone().bool_not());
    let left = tokens.clone() - count(dropped.clone().bool_and(padding.clone().bool_not()));
    let factor = tokens / left.clamp_min(1.0) * STAYED;
    word.clone()
        .mask_fill(dropped.unsqueeze_dim::<3>(2).expand(word.dims()), 0.0)
        * factor.unsqueeze_dim::<3>(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// huggingface/transformers#1761: `cumsum(ids != pad) * (ids != pad) + pad`.
    #[test]
    fn padding_takes_no_place_where_rows_are_left_to_it() {
        let device = Device::flex();
        for (padding, ids, rows) in [
            (1, [5, 6, 7, 8], [2, 3, 4, 5]),
            (1, [5, 6, 1, 1], [2, 3, 1, 1]),
            (1, [1, 1, 5, 6], [1, 1, 2, 3]),
            (1, [5, 1, 6, 7], [2, 1, 3, 4]),
            (1, [0, 1, 1, 2], [2, 1, 1, 3]),
            (1, [1, 1, 1, 1], [1, 1, 1, 1]),
            (0, [5, 0, 6, 0], [1, 0, 2, 0]),
            (3, [1, 3, 0, 2], [4, 3, 5, 6]),
        ] {
            let config = TransformerConfig {
                padding_token: padding,
                first_position: padding as usize + 1,
                positions: 4,
                ..TransformerConfig::bert(9, vec!["yes".to_owned()])
            };
            let embeddings = TokenEmbeddings::new(9, &config, &device);
            let ids = Tensor::<2, Int>::from_data([ids], &device);
            let found = embeddings.rows_after_padding(&ids, config.first_position);
            let found: Vec<i64> = found.into_data().iter::<i64>().collect();
            assert_eq!(found, rows, "padding {padding}");
        }
    }
}
