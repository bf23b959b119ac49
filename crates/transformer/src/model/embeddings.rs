//! From the input to the first block: tokens or patches.

use burn::module::Module;
use burn::tensor::{DType, Device, Tensor};
use relprop_rules::Pass;

use super::patch_embeddings::PatchEmbeddings;
use super::token_embeddings::TokenEmbeddings;
use crate::{Batch, BatchInput, InputConfig, TransformerConfig};

/// The module that computes the input of the first block.
#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant, reason = "a model has one of them")]
pub(super) enum Embeddings {
    /// Reads texts.
    Tokens(TokenEmbeddings),
    /// Reads pictures.
    Patches(PatchEmbeddings),
}

impl Embeddings {
    pub(super) fn new(config: &TransformerConfig, device: &Device) -> Self {
        match &config.input {
            InputConfig::Tokens { vocabulary } => {
                Self::Tokens(TokenEmbeddings::new(*vocabulary, config, device))
            }
            InputConfig::Patches(patches) => {
                Self::Patches(PatchEmbeddings::new(patches, config, device))
            }
        }
    }

    /// The device that its parameters are on, and the type of their numbers.
    pub(super) fn home(&self) -> (Device, DType) {
        match self {
            Self::Tokens(tokens) => home(&tokens.words()),
            Self::Patches(patches) => home(&patches.projection()),
        }
    }

    /// `[batch, position, feature]`.
    ///
    /// # Panics
    ///
    /// If the batch holds texts and the model reads pictures, or the other way round.
    pub(super) fn forward(&self, batch: &Batch, pass: &mut Pass) -> Tensor<3> {
        let positions = &batch.positions;
        match (self, &batch.input) {
            (Self::Tokens(tokens), BatchInput::Tokens { ids, types }) => {
                let ids = [ids, types, positions];
                tokens.forward(ids, &batch.padding, batch.source(), pass)
            }
            (Self::Patches(patches), BatchInput::Patches(pixels)) => {
                patches.forward(pixels, positions, pass)
            }
            (Self::Tokens(_), BatchInput::Patches(_)) => {
                panic!("the model reads texts, but the batch holds pictures")
            }
            (Self::Patches(_), BatchInput::Tokens { .. }) => {
                panic!("the model reads pictures, but the batch holds texts")
            }
        }
    }
}

fn home<const D: usize>(parameter: &Tensor<D>) -> (Device, DType) {
    (parameter.device(), parameter.dtype())
}
