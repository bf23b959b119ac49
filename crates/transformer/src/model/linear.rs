//! Freshly drawn linear maps.

use burn::nn::{Initializer, Linear};
use burn::tensor::Device;

/// A linear map with normally distributed weights and a bias of zero.
pub(super) fn linear(input: usize, output: usize, std: f64, device: &Device) -> Linear {
    Linear {
        weight: Initializer::Normal { mean: 0.0, std }.init([input, output], device),
        bias: Some(Initializer::Zeros.init([output], device)),
    }
}
