//! The law for a router's softmax, on `[batch, position, expert]`. Those for the product of a weight and what an
//! expert gives are those for a [gate](crate::explicit::product::gate_uniform).

use burn::tensor::Tensor;

/// A router's weights under their plain gradient, where the choice of experts is a constant.
///
/// ```text
/// R(q_i) = q_i * (R(w_i) - s_i sum_i' R(w_i')),    for each token
/// ```
///
/// `softmax`: s, over the experts that the weights are normalized over, and 0 at others; `relevance`: R(w), 0 where an
/// expert is not chosen. It does not conserve: see
/// [`softmax_plain_gradient`](crate::explicit::attention::softmax_plain_gradient).
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use relprop_rules::explicit::experts::router_plain_gradient;
///
/// let device = Device::flex();
/// let scores = Tensor::<3>::from_data([[[0.0, 3.0_f32.ln()]]], &device);
/// let softmax = Tensor::<3>::from_data([[[0.25, 0.75]]], &device);
/// // The second expert alone is chosen.
/// let relevance = Tensor::from_data([[[0.0, 4.0]]], &device);
/// let of_scores = router_plain_gradient(scores, softmax, relevance);
/// let expected = [0.0, 3.0_f32.ln()];
/// assert_eq!(of_scores.into_data_as::<f32>().to_vec::<f32>().unwrap(), expected);
/// ```
pub fn router_plain_gradient(
    scores: Tensor<3>,
    softmax: Tensor<3>,
    relevance: Tensor<3>,
) -> Tensor<3> {
    let of_token = relevance.clone().sum_dim(2);
    scores * (relevance - softmax * of_token)
}
