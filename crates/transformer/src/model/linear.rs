//! Freshly drawn linear maps.

use burn::nn::{Initializer, Linear};
use burn::tensor::Device;

/// Normally distributed numbers. Nothing is drawn where all would be zero: drawing the weights of a model that is
/// about to be read takes longer than to read it.
pub(super) fn normal(std: f64) -> Initializer {
    match std == 0.0 {
        true => Initializer::Zeros,
        false => Initializer::Normal { mean: 0.0, std },
    }
}

/// A linear map with normally distributed weights and, if it has one, a bias of zero.
pub(super) fn linear(input: usize, output: usize, std: f64, bias: bool, device: &Device) -> Linear {
    Linear {
        weight: normal(std).init([input, output], device),
        bias: bias.then(|| Initializer::Zeros.init([output], device)),
    }
}
