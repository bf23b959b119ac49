//! The law for the softmax p_j = softmax(q_j), on `[batch, head, query, key]`.

use burn::tensor::Tensor;

/// The softmax under its plain gradient (AttnLRP, proposition 3.1).
///
/// ```text
/// R(q_i) = q_i * (R(p_i) - p_i sum_i' R(p_i')),    for each query
/// ```
///
/// It is the general rule with dp_i'/dq_i = p_i' (delta_ii' - p_i): the p_i' cancels against the
/// division by p_i'. A sink has no R(p), so that the formula is the same where weights sum to less than 1. It does not
/// conserve: a softmax is not homogeneous. How much relevance is left
/// depends on a constant that can be added to all scores without a change of the weights.
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
