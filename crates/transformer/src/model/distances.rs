//! The vectors of distances in disentangled attention.

use burn::module::Module;
use burn::nn::{Embedding, EmbeddingConfig};
use burn::tensor::{Device, Int, Tensor, TensorData};
use relprop_rules::Operation;
use relprop_rules::precision::widen;

use super::{layer_norm::LayerNorm, linear::normal};
use crate::{Batch, Disentangled, TransformerConfig};

/// A vector for each bucket of distances, and their norm.
#[derive(Module, Debug)]
pub(super) struct Distances {
    table: Embedding,
    norm: Option<LayerNorm>,
}

/// What attention in every block needs to know about the distances of a batch's tokens.
#[derive(Clone, Debug)]
pub(super) struct Disentanglement {
    /// The vector of each bucket, `[1, bucket, feature]`: a constant.
    pub(super) vectors: Tensor<3>,
    /// The bucket of each pair, `[1, 1, query, key]`.
    pub(super) buckets: Tensor<4, Int>,
}

impl Distances {
    pub(super) fn new(config: &TransformerConfig, device: &Device) -> Option<Self> {
        let distances = config.attention.disentangled?;
        let std = config.initializer_range;
        let table = EmbeddingConfig::new(2 * distances.buckets, config.width);
        let table = table.with_initializer(normal(std));
        let norm = || LayerNorm::new(&config.norm, config.width, device);
        Some(Self {
            table: table.init(device),
            norm: distances.norm.then(norm),
        })
    }

    /// The vectors, and the bucket of each pair of the batch's positions.
    pub(super) fn of(&self, distances: Disentangled, batch: &Batch) -> Disentanglement {
        let [_, positions] = batch.padding.dims();
        let vectors = widen(self.table.weight.val()).unsqueeze_dim::<3>(0);
        let vectors = match &self.norm {
            Some(norm) => norm.operation().forward(vectors),
            None => vectors,
        };
        let pairs = (0..positions).flat_map(|query| (0..positions).map(move |key| (query, key)));
        let buckets: Vec<i64> = pairs
            .map(|(query, key)| bucket(query, key, distances) as i64)
            .collect();
        let buckets = TensorData::new(buckets, [1, 1, positions, positions]);
        Disentanglement {
            vectors,
            buckets: Tensor::from_data(buckets, &batch.padding.device()),
        }
    }
}

/// The bucket of a pair, from the farthest later key to the farthest earlier one. Near distances have one
/// each; farther ones share those that are left, by their logarithm.
fn bucket(query: usize, key: usize, distances: Disentangled) -> usize {
    let Disentangled {
        buckets, farthest, ..
    } = distances;
    let (distance, near) = (query.abs_diff(key), buckets / 2);
    let distance = match farthest {
        Some(farthest) if distance > near => {
            // In f32, as transformers has it: a distance on the edge of two buckets is then in the same one.
            let [from, to, near_f] = [distance, farthest - 1, near].map(|size| size as f32);
            let grown = (from / near_f).ln() / (to / near_f).ln() * (near as f32 - 1.0);
            grown.ceil() as usize + near
        }
        _ => distance,
    };
    match key > query {
        true => buckets.saturating_sub(distance),
        false => (buckets + distance).min(2 * buckets - 1),
    }
}
