//! Laws for the scores q_ij = scale * (query_j . key_i).
//!
//! Queries are `[batch, head, query, feature]`, keys `[batch, head, key, feature]`, and R(q) is
//! `[batch, head, query, key]`.

use burn::tensor::Tensor;

use crate::explicit::product;

/// The scores under the uniform rule (AttnLRP, proposition 3.3): half to the queries, half to the
/// keys. It conserves. The scale of the scores cancels out.
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
