//! What the blocks of a model need to know about the tokens of a batch.

use burn::nn::{Embedding, EmbeddingConfig};
use burn::tensor::{Bool, DType, Device, Int, Tensor, TensorData};
use relprop_rules::operations::AttentionBias;
use relprop_rules::precision::widen;

use super::attention::AttentionContext;
use super::distances::Distances;
use super::grid;
use super::linear::normal;
use super::rotary::rotary;
use super::sight::Sight;
use super::windows::Windows;
use crate::{Batch, BlockAttention, PositionBias, TransformerConfig};

/// The context of attention in each block. Blocks that are alike share one.
#[derive(Clone, Debug)]
pub(super) struct AttentionContexts {
    kinds: Vec<(BlockAttention, AttentionContext)>,
    /// The kind of each block; none where all are of the first.
    of_blocks: Vec<usize>,
}

impl AttentionContexts {
    /// `biases`: what each bucket of distances adds to the scores of each head, if they do.
    pub(super) fn new(
        config: &TransformerConfig,
        biases: Option<Tensor<2>>,
        distances: Option<&Distances>,
        batch: &Batch,
        dtype: DType,
    ) -> Self {
        if let Some(stages) = &config.stages {
            return Self::in_windows(config, stages.window, batch);
        }
        let distances = distances
            .zip(config.attention.disentangled)
            .map(|(distances, config)| distances.of(config, batch));
        let grid = grid::rows(config, batch);
        let rows = match Buckets::of_blocks(config) {
            Some(buckets) => Some(buckets.rows(batch)),
            None => grid,
        };
        let bias = config.attention.bias.filter(|_| rows.is_none());
        let bias = bias.map(|bias| match (bias, biases) {
            (PositionBias::Learned { .. }, Some(biases)) => {
                let rows = Buckets::new(config).map(|buckets| buckets.rows(batch));
                let rows = rows.expect("a learned bias has buckets");
                grid::bias(widen(biases).cast(dtype), rows)
            }
            (PositionBias::LinearRounded, _) => {
                rounded_bias(config.heads, config.head_width(), batch, dtype)
            }
            _ => linear_bias(config.heads, batch, dtype),
        });
        let mut kinds: Vec<(BlockAttention, AttentionContext)> = Vec::new();
        let mut kind = |index: usize| {
            let block = config.block_attention(index);
            let known = kinds.iter().position(|(known, _)| *known == block);
            known.unwrap_or_else(|| {
                kinds.push((
                    block,
                    AttentionContext {
                        bias: bias.clone(),
                        distances: distances.clone(),
                        rows: rows.clone(),
                        ..context(config, block, batch, dtype)
                    },
                ));
                kinds.len() - 1
            })
        };
        let of_blocks = match config.attention_by_block.len() {
            0 => {
                kind(0);
                Vec::new()
            }
            blocks => (0..blocks).map(kind).collect(),
        };
        Self { kinds, of_blocks }
    }

    /// Those of a model whose attention stays within windows. Blocks that are alike stand one after another but for
    /// every other one, so that each has its own.
    ///
    /// # Panics
    ///
    /// If a patch of a picture is gone: windows are of whole grids.
    fn in_windows(config: &TransformerConfig, window: usize, batch: &Batch) -> Self {
        let pictures = batch.spans.len();
        let whole = batch
            .spans
            .iter()
            .all(|span| span.len() == config.positions);
        assert!(
            whole,
            "a model with windows reads whole pictures; hide patches instead of removing them"
        );
        let context = |index: usize| {
            let stage = config.stage(index).expect("a stage for each block");
            let device = batch.padding.device();
            let (windows, hidden) = Windows::new(stage, window, &device);
            let context = AttentionContext {
                hidden: Windows::of_pictures(hidden, pictures),
                rotary: None,
                bias: None,
                distances: None,
                rows: grid::rows(config, batch),
                windows: Some(windows),
                sight: Sight::default(),
                mixed: None,
            };
            (config.block_attention(index), context)
        };
        Self {
            kinds: (0..config.blocks).map(context).collect(),
            of_blocks: (0..config.blocks).collect(),
        }
    }

    /// The context of block `index`.
    pub(super) fn of(&self, index: usize) -> &AttentionContext {
        let kind = self.of_blocks.get(index).copied().unwrap_or_default();
        &self.kinds[kind].1
    }
}

fn context(
    config: &TransformerConfig,
    block: BlockAttention,
    batch: &Batch,
    dtype: DType,
) -> AttentionContext {
    let turn = |own| rotary(config, &own, batch, dtype);
    let sight = Sight {
        causal: config.attention.causal,
        window: block.window,
    };
    AttentionContext {
        hidden: hidden(sight, batch),
        rotary: block.rotary.map(turn),
        bias: None,
        distances: None,
        rows: None,
        windows: None,
        sight,
        mixed: None,
    }
}

/// True where a token must not be looked at, `[batch, 1, 1 or query, key]`: at padding, and where no token of that place
/// is in sight.
fn hidden(sight: Sight, batch: &Batch) -> Tensor<4, Bool> {
    let padding = batch.padding.clone().unsqueeze_dims::<4>(&[1, 2]);
    if !sight.causal && sight.window.is_none() {
        return padding;
    }
    // Padding stands before a text or after it, never inside, so that places are as far apart as tokens are.
    let [texts, positions] = batch.padding.dims();
    let mut hidden = vec![true; positions * positions];
    for (query, row) in hidden.chunks_mut(positions).enumerate() {
        row[sight.of(&(query..query + 1), positions)].fill(false);
    }
    let hidden = TensorData::new(hidden, [1, 1, positions, positions]);
    let hidden = Tensor::<4, Bool>::from_data(hidden, &batch.padding.device());
    let shape = [texts, 1, positions, positions];
    hidden.expand(shape).bool_or(padding.expand(shape))
}

/// The table of what buckets of distances add to scores, if they do: in all blocks, or in one of those that have their
/// own, if that is what is asked for.
pub(super) fn position_bias(
    config: &TransformerConfig,
    own: bool,
    device: &Device,
) -> Option<Embedding> {
    let Some(PositionBias::Learned {
        buckets, by_block, ..
    }) = config.attention.bias
    else {
        return None;
    };
    if by_block != own {
        return None;
    }
    let std = config.initializer_range;
    let table = EmbeddingConfig::new(buckets, config.heads);
    let table = table.with_initializer(normal(std));
    Some(table.init(device))
}

/// The weights of such a table.
pub(super) fn table(bias: &Option<Embedding>) -> Option<Tensor<2>> {
    bias.as_ref().map(|table| table.weight.val())
}

/// How distances are sorted into buckets.
#[derive(Clone, Copy)]
struct Buckets {
    count: usize,
    /// The distance from which on all are in the last bucket.
    farthest: usize,
    /// Whether all buckets are for keys up to the query, where no other is seen.
    one_way: bool,
}

impl Buckets {
    /// Those of a learned bias, if positions are one.
    fn new(config: &TransformerConfig) -> Option<Self> {
        let Some(PositionBias::Learned {
            buckets, farthest, ..
        }) = config.attention.bias
        else {
            return None;
        };
        Some(Self {
            count: buckets,
            farthest,
            one_way: config.attention.causal,
        })
    }

    /// The same where each block has its own bias.
    fn of_blocks(config: &TransformerConfig) -> Option<Self> {
        let bias = config.attention.bias;
        let by_block = matches!(bias, Some(PositionBias::Learned { by_block: true, .. }));
        Self::new(config).filter(|_| by_block)
    }

    /// The bucket of each pair of a batch's positions, `[1, query, key]`.
    fn rows(self, batch: &Batch) -> Tensor<3, Int> {
        let [_, positions] = batch.padding.dims();
        let pairs = (0..positions).flat_map(|query| (0..positions).map(move |key| (query, key)));
        let rows: Vec<i64> = pairs
            .map(|(query, key)| self.of(query, key) as i64)
            .collect();
        let rows = TensorData::new(rows, [1, positions, positions]);
        Tensor::from_data(rows, &batch.padding.device())
    }

    /// The bucket of a distance. Of both ways, keys up to the query have the first half of all buckets, and later ones
    /// the second.
    fn of(self, query: usize, key: usize) -> usize {
        let ways = if self.one_way { 1 } else { 2 };
        let (own, later) = (self.count / ways, key > query);
        let first = if later && !self.one_way { own } else { 0 };
        let distance = match later && self.one_way {
            // It is hidden.
            true => 0,
            false => query.abs_diff(key),
        };
        let exact = own / 2;
        if distance < exact {
            return first + distance;
        }
        let [distance, exact_f, farthest] =
            [distance, exact, self.farthest].map(|size| size as f32);
        // In f32, as transformers has it: a distance on the edge of two buckets is then in the same one.
        let grown = (distance / exact_f).ln() / (farthest / exact_f).ln() * (own - exact) as f32;
        first + (exact + grown as usize).min(own - 1)
    }
}

/// ALiBi: minus the distance of query and key, times the slope of the head, `[1, head, query, key]`.
fn linear_bias(heads: usize, batch: &Batch, dtype: DType) -> AttentionBias {
    let [_, positions] = batch.padding.dims();
    let device: Device = batch.padding.device();
    let of_head = |slope: f64| {
        let rows = (0..positions).flat_map(move |query| {
            (0..positions).map(move |key| -slope * query.abs_diff(key) as f64)
        });
        rows.collect::<Vec<f64>>()
    };
    let numbers: Vec<f64> = slopes(heads).into_iter().flat_map(of_head).collect();
    let numbers = TensorData::new(numbers, [1, heads, positions, positions]);
    AttentionBias {
        bias: Tensor::from_data(numbers, (&device, dtype)),
    }
}

/// ALiBi as Falcon has it, `[batch, head, query, key]`: the position of the key times the slope of the head, in numbers of
/// bfloat16, as scores are before they are divided by the root of a head's width.
fn rounded_bias(heads: usize, width: usize, batch: &Batch, dtype: DType) -> AttentionBias {
    let [texts, positions] = batch.padding.dims();
    let device: Device = batch.padding.device();
    let of_position = |position: usize| {
        let slopes = slopes(heads).into_iter();
        slopes.map(move |slope| {
            let number = bfloat16(bfloat16(slope as f32) * bfloat16(position as f32));
            f64::from(number) / (width as f64).sqrt()
        })
    };
    let numbers: Vec<f64> = (0..positions).flat_map(of_position).collect();
    let table = TensorData::new(numbers, [positions, heads]);
    let table = Tensor::<2>::from_data(table, (&device, dtype));
    let rows = batch.positions.clone().reshape([texts * positions]);
    let bias = table.select(0, rows).reshape([texts, positions, heads, 1]);
    let bias = bias.permute([0, 2, 3, 1]);
    AttentionBias {
        bias: bias.expand([texts, heads, positions, positions]),
    }
}

/// A number in the digits of bfloat16: of two that are as near, the even one.
fn bfloat16(x: f32) -> f32 {
    let bits = x.to_bits();
    let up = 0x7fff + ((bits >> 16) & 1);
    f32::from_bits((bits + up) & 0xffff_0000)
}

/// The slope of each head. Where the heads are no power of 2, those of the next smaller power stand first,
/// and then every other one of the next larger power.
fn slopes(heads: usize) -> Vec<f64> {
    let power = 1 << heads.ilog2();
    let of = |count: usize, head: usize| (-8.0 * (head + 1) as f64 / count as f64).exp2();
    let first = (0..power).map(|head| of(power, head));
    let more = (0..heads - power).map(|head| of(2 * power, 2 * head));
    first.chain(more).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slopes_are_those_of_the_paper() {
        assert_eq!(
            slopes(8),
            [
                0.5, 0.25, 0.125, 0.0625, 0.03125, 0.015625, 0.0078125, 0.00390625
            ]
        );
        assert_eq!(slopes(6)[..4], [0.25, 0.0625, 0.015625, 0.00390625]);
        assert_eq!(slopes(6)[4..], [0.5, 0.125]);
    }
}
