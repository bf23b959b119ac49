//! Freshly drawn linear maps.

use burn::nn::{Initializer, Linear};
use burn::tensor::Device;

/// A linear map with normally distributed weights and, if it has one, a bias of zero.
pub(super) fn linear(input: usize, output: usize, std: f64, bias: bool, device: &Device) -> Linear {
    Linear {
        weight: Initializer::Normal { mean: 0.0, std }.init([input, output], device),
        bias: bias.then(|| Initializer::Zeros.init([output], device)),
    }
}
