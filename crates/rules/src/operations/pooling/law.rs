//! The law for pooling.

use burn::tensor::Tensor;

use crate::explicit::ratio;

/// Pooling y = sum_p w_p x_p over positions p, in proportion. It conserves.
///
/// ```text
/// R(x_p) = w_p x_p / y * R(y),    for each feature
/// ```
///
/// `weights`: `[batch, 1, position]`, `x`: `[batch, position, feature]`, `relevance`:
/// `[batch, 1, feature]`. Gives `[batch, position, feature]`.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use relprop_rules::explicit::residual::pooling;
///
/// // The mean of two positions of one feature: y = 2.
/// let device = Device::flex();
/// let weights = Tensor::<3>::from_data([[[0.5, 0.5]]], &device);
/// let x = Tensor::<3>::from_data([[[1.0], [3.0]]], &device);
/// let of_x = pooling(weights, x, Tensor::from_data([[[4.0]]], &device));
/// assert_eq!(of_x.into_data_as::<f32>().to_vec::<f32>().unwrap(), [1.0, 3.0]);
/// ```
pub fn pooling(weights: Tensor<3>, x: Tensor<3>, relevance: Tensor<3>) -> Tensor<3> {
    let y = weights.clone().matmul(x.clone());
    x * weights.swap_dims(1, 2).matmul(ratio(relevance, y))
}
