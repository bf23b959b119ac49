//! Laws for attention heads.
//!
//! Queries are `[batch, head, query, feature]`, keys and values `[batch, head, key, feature]`,
//! scores and weights `[batch, head, query, key]`. The mixture of a query j is
//! y_j = sum_i p_ij v_i, with p_j = softmax(q_j) and q_ij = scale * (query_j . key_i).

use burn::tensor::Tensor;

use super::{product, ratio};

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

/// The softmax under its plain gradient (AttnLRP, proposition 3.1).
///
/// ```text
/// R(q_i) = q_i * (R(p_i) - p_i sum_i' R(p_i')),    for each query
/// ```
///
/// It is the general rule with dp_i'/dq_i = p_i' (delta_ii' - p_i): the p_i' cancels against the
/// division by p_i'. It does not conserve: a softmax is not homogeneous, and what it keeps depends
/// on where the zero of the scores lies.
///
/// `scores` and `weights`: the softmax's input and output; `relevance`: R(p); all
/// `[batch, head, query, key]`, and so is the result R(q).
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use relprop_rules::explicit::attention::softmax_plain_gradient;
///
/// let device = Device::flex();
/// let scores = Tensor::<4>::from_data([[[[0.0, 3.0_f32.ln()]]]], &device);
/// let weights = Tensor::<4>::from_data([[[[0.25, 0.75]]]], &device);
/// let relevance = Tensor::from_data([[[[2.0, 12.0]]]], &device);
/// let of_scores = softmax_plain_gradient(scores, weights, relevance);
/// // 0 * (2 - 0.25 * 14), and ln 3 * (12 - 0.75 * 14)
/// let expected = [0.0, 3.0_f32.ln() * 1.5];
/// assert_eq!(of_scores.into_data_as::<f32>().to_vec::<f32>().unwrap(), expected);
/// ```
pub fn softmax_plain_gradient(
    scores: Tensor<4>,
    weights: Tensor<4>,
    relevance: Tensor<4>,
) -> Tensor<4> {
    let of_query = relevance.clone().sum_dim(3);
    scores * (relevance - weights * of_query)
}

/// The scores under the uniform rule (AttnLRP, proposition 3.3): half to the queries, half to the
/// keys. It conserves. The scale of the scores cancels.
///
/// ```text
/// R(query_j) = 1/2 sum_i  query_j key_i / (query_j . key_i) * R(q_ij),    for each feature
/// R(key_i)   = 1/2 sum_j  query_j key_i / (query_j . key_i) * R(q_ij)
/// ```
///
/// `relevance` is R(q), `[batch, head, query, key]`. Gives R(query) and R(key).
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use relprop_rules::explicit::attention::scores_uniform;
///
/// // One query, one key, two features: q = 1 * 3 + 2 * 1 = 5.
/// let device = Device::flex();
/// let query = Tensor::<4>::from_data([[[[1.0, 2.0]]]], &device);
/// let key = Tensor::<4>::from_data([[[[3.0, 1.0]]]], &device);
/// let relevance = Tensor::from_data([[[[10.0]]]], &device);
/// let (of_query, of_key) = scores_uniform(query, key, relevance);
/// assert_eq!(of_query.into_data_as::<f32>().to_vec::<f32>().unwrap(), [3.0, 2.0]);
/// assert_eq!(of_key.into_data_as::<f32>().to_vec::<f32>().unwrap(), [3.0, 2.0]);
/// ```
pub fn scores_uniform(
    query: Tensor<4>,
    key: Tensor<4>,
    relevance: Tensor<4>,
) -> (Tensor<4>, Tensor<4>) {
    scores_plain_gradient(query, key, relevance * 0.5)
}

/// The scores under their plain gradient: the queries get all of the relevance, and so do the keys.
/// It counts everything twice.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use relprop_rules::explicit::attention::scores_plain_gradient;
///
/// let device = Device::flex();
/// let query = Tensor::<4>::from_data([[[[1.0, 2.0]]]], &device);
/// let key = Tensor::<4>::from_data([[[[3.0, 1.0]]]], &device);
/// let relevance = Tensor::from_data([[[[10.0]]]], &device);
/// let (of_query, of_key) = scores_plain_gradient(query, key, relevance);
/// assert_eq!(of_query.into_data_as::<f32>().to_vec::<f32>().unwrap(), [6.0, 4.0]);
/// assert_eq!(of_key.into_data_as::<f32>().to_vec::<f32>().unwrap(), [6.0, 4.0]);
/// ```
pub fn scores_plain_gradient(
    query: Tensor<4>,
    key: Tensor<4>,
    relevance: Tensor<4>,
) -> (Tensor<4>, Tensor<4>) {
    let (of_query, of_key) = product::plain_gradient(query, key.swap_dims(2, 3), relevance);
    (of_query, of_key.swap_dims(2, 3))
}
