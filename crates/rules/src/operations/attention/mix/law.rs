//! Laws for the mixing of values y_j = sum_i p_ij v_i.
//!
//! Weights p are `[batch, head, query, key]`, values v `[batch, head, key, feature]`, and R(y) is
//! `[batch, head, query, feature]`.

use burn::tensor::Tensor;

use crate::explicit::{product, ratio};

/// The AH-rule (Ali et al. 2022, section 4): the weights are constants, and the values take all.
/// It conserves; queries and keys get nothing.
///
/// ```text
/// R(v_i) = sum_j  v_i p_ij / (sum_i' v_i' p_i'j) * R(y_j),    for each feature
/// ```
///
/// `relevance` is R(y), `[batch, head, query, feature]`. Gives R(v),
/// `[batch, head, key, feature]`.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use relprop_rules::explicit::attention::ah_rule;
///
/// // One query, two keys, one feature: y = 0.25 * 4 + 0.75 * 8 = 7.
/// let device = Device::flex();
/// let weights = Tensor::<4>::from_data([[[[0.25, 0.75]]]], &device);
/// let values = Tensor::<4>::from_data([[[[4.0], [8.0]]]], &device);
/// let of_values = ah_rule(weights, values, Tensor::from_data([[[[14.0]]]], &device));
/// assert_eq!(of_values.into_data_as::<f32>().to_vec::<f32>().unwrap(), [2.0, 12.0]);
/// ```
pub fn ah_rule(weights: Tensor<4>, values: Tensor<4>, relevance: Tensor<4>) -> Tensor<4> {
    let mixture = weights.clone().matmul(values.clone());
    values * weights.swap_dims(2, 3).matmul(ratio(relevance, mixture))
}

/// The mixing of values under the uniform rule (AttnLRP, Achtibat et al. 2024, proposition 3.3):
/// half to the weights, half to the values. It conserves.
///
/// ```text
/// R(p_ij) = 1/2 sum_features  p_ij v_i / y_j * R(y_j)
/// R(v_i)  = 1/2 sum_j         p_ij v_i / y_j * R(y_j)
/// ```
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use relprop_rules::explicit::attention::mixing_uniform;
///
/// let device = Device::flex();
/// let weights = Tensor::<4>::from_data([[[[0.25, 0.75]]]], &device);
/// let values = Tensor::<4>::from_data([[[[4.0], [8.0]]]], &device);
/// let relevance = Tensor::from_data([[[[14.0]]]], &device);
/// let (of_weights, of_values) = mixing_uniform(weights, values, relevance);
/// assert_eq!(of_weights.into_data_as::<f32>().to_vec::<f32>().unwrap(), [1.0, 6.0]);
/// assert_eq!(of_values.into_data_as::<f32>().to_vec::<f32>().unwrap(), [1.0, 6.0]);
/// ```
pub fn mixing_uniform(
    weights: Tensor<4>,
    values: Tensor<4>,
    relevance: Tensor<4>,
) -> (Tensor<4>, Tensor<4>) {
    product::uniform(weights, values, relevance)
}

/// The mixing of values under its plain gradient: the weights get all of the relevance, and so do
/// the values. It counts everything twice.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use relprop_rules::explicit::attention::mixing_plain_gradient;
///
/// let device = Device::flex();
/// let weights = Tensor::<4>::from_data([[[[0.25, 0.75]]]], &device);
/// let values = Tensor::<4>::from_data([[[[4.0], [8.0]]]], &device);
/// let relevance = Tensor::from_data([[[[14.0]]]], &device);
/// let (of_weights, of_values) = mixing_plain_gradient(weights, values, relevance);
/// assert_eq!(of_weights.into_data_as::<f32>().to_vec::<f32>().unwrap(), [2.0, 12.0]);
/// assert_eq!(of_values.into_data_as::<f32>().to_vec::<f32>().unwrap(), [2.0, 12.0]);
/// ```
pub fn mixing_plain_gradient(
    weights: Tensor<4>,
    values: Tensor<4>,
    relevance: Tensor<4>,
) -> (Tensor<4>, Tensor<4>) {
    product::plain_gradient(weights, values, relevance)
}
