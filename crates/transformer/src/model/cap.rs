//! Soft caps.

use burn::tensor::Tensor;
use relprop_rules::{Pass, operations::Activation};

/// c tanh(x / c), which does not exceed the size c (Gemma 2, Gemma Team 2024).
///
/// It is an activation, and every rule for activations holds for it; the factors around it hand relevance
/// through as it is.
pub(super) fn cap(site: &str, size: f64, x: Tensor<3>, pass: &mut Pass) -> Tensor<3> {
    // Not `x / size`: in f64, Burn's gradient of that has the digits of f32.
    let x = x * size.recip();
    pass.apply(site, &Activation::Tanh, x) * size
}
