//! The second stack: blocks that read the output so far, and what the encoder made of the source.

use burn::module::Module;
use burn::nn::Embedding;
use burn::tensor::Device;

use super::attention_context::position_bias;
use super::block::Block;
use super::layer_norm::LayerNorm;
use crate::TransformerConfig;

/// The decoder.
#[derive(Module, Debug)]
pub(super) struct Decoder {
    /// What the buckets of distances add to scores of the output with itself, where they do.
    pub(super) position_bias: Option<Embedding>,
    /// The norm between the encoder's last block and all cross-attention.
    pub(super) source_norm: Option<LayerNorm>,
    pub(super) blocks: Vec<Block>,
}

impl Decoder {
    pub(super) fn new(config: &TransformerConfig, device: &Device) -> Option<Self> {
        let own = config.of_decoder()?;
        let norm = || LayerNorm::new(&config.norm, config.width, device);
        Some(Self {
            position_bias: position_bias(&own, false, device),
            source_norm: config.norm_placement.has_final().then(norm),
            blocks: (0..own.blocks)
                .map(|index| Block::new(&own, index, device).with_cross_attention(&own, device))
                .collect(),
        })
    }
}
