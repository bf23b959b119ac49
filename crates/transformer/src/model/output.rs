//! From hidden states to what the head is asked.

use burn::module::{Module, Param};
use burn::nn::{Initializer, Linear};
use burn::tensor::{Device, Tensor};
use relprop_rules::{
    Pass,
    operations::{Activation, Linear as LinearMap},
};

use super::layer_norm::LayerNorm;
use super::linear::linear;
use crate::{Head, TransformerConfig};

/// The last linear map of a model. None where the table of word embeddings is the map, and for a vector
/// that is made of hidden states alone.
pub(super) fn classifier(config: &TransformerConfig, device: &Device) -> Option<Linear> {
    let mut outputs = config.logits();
    let (input, bias) = match config.head {
        Head::Labels
        | Head::LabelsOfMean
        | Head::LabelsOfPatches
        | Head::TokenLabels
        | Head::Span => (config.output_width(), true),
        Head::LabelsOfBoth => (2 * config.output_width(), true),
        // Only after a pooler has the map a bias: BART.
        Head::LabelsAtEnd { .. } => (config.output_width(), config.pooler.is_some()),
        Head::NextToken { tied: false } => (config.output_width(), config.biases.next_token),
        Head::MaskedToken {
            tied: false,
            activation,
        } => (
            inner(config),
            activation.is_some() || config.biases.next_token,
        ),
        Head::NextToken { tied: true } | Head::MaskedToken { tied: true, .. } => return None,
        Head::Vector { dense, .. } => {
            let dense = dense?;
            outputs = dense.width;
            (config.output_width(), dense.bias)
        }
    };
    let std = config.initializer_range;
    Some(linear(input, outputs, std, bias, device))
}

/// The linear map after that of a vector, where there are two.
pub(super) fn second_classifier(config: &TransformerConfig, device: &Device) -> Option<Linear> {
    let Head::Vector {
        dense: Some(first),
        second: Some(second),
        ..
    } = config.head
    else {
        return None;
    };
    let std = config.initializer_range;
    Some(linear(first.width, second.width, std, second.bias, device))
}

/// The bias of the table of word embeddings, where that is the last linear map and has one.
pub(super) fn tied_bias(config: &TransformerConfig, device: &Device) -> Option<Param<Tensor<1>>> {
    let has = match config.head {
        Head::MaskedToken {
            tied,
            activation: Some(_),
        } => tied,
        Head::MaskedToken { tied, .. } | Head::NextToken { tied } => {
            tied && config.biases.next_token
        }
        _ => false,
    };
    has.then(|| Initializer::Zeros.init([config.vocabulary()], device))
}

/// How many features the embedding of a word has.
fn inner(config: &TransformerConfig) -> usize {
    config.embedding_width.unwrap_or(config.width)
}

/// What stands before the logits of a masked token: a linear map, an activation and a norm.
#[derive(Module, Debug)]
pub(super) struct Transform {
    linear: Linear,
    norm: LayerNorm,
    #[module(skip)]
    activation: Activation,
}

impl Transform {
    pub(super) fn new(config: &TransformerConfig, device: &Device) -> Option<Self> {
        let Head::MaskedToken {
            activation: Some(activation),
            ..
        } = config.head
        else {
            return None;
        };
        let (width, std) = (config.width, config.initializer_range);
        let inner = inner(config);
        Some(Self {
            linear: linear(width, inner, std, !config.unbiased_head, device),
            norm: LayerNorm::new(&config.norm, inner, device),
            activation,
        })
    }

    /// `[batch, answer, feature]` to the same, of as many features as embeddings have.
    pub(super) fn forward(&self, x: Tensor<3>, pass: &mut Pass) -> Tensor<3> {
        let x = pass.apply("linear", &LinearMap::from(&self.linear), x);
        let x = pass.apply("activation", &self.activation, x);
        pass.apply("norm", &self.norm.operation(), x)
    }
}
