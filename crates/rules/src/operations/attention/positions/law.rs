//! The law for scores of contents against positions, y_ij = scale * (x_i . p_b(i, j)).

use burn::tensor::Tensor;

use crate::explicit::ratio;

/// Scores against constant positions in proportion to their terms: LRP-0, which is also the plain gradient. It
/// conserves. The scale cancels.
///
/// ```text
/// R(x_i) = sum_j  x_i p_b(i, j) / (x_i . p_b(i, j)) * R(y_ij),    for each feature
/// ```
///
/// `x`: `[batch, head, position, feature]`; `pairs`: p_b(i, j), `[batch, head, position, position, feature]`;
/// `relevance`: `[batch, head, position, position]`. Gives R(x).
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use relprop_rules::explicit::attention::position_scores;
///
/// // One token, two features: y = 1 * 3 + 2 * 1 = 5.
/// let device = Device::flex();
/// let x = Tensor::<4>::from_data([[[[1.0, 2.0]]]], &device);
/// let pairs = Tensor::<5>::from_data([[[[[3.0, 1.0]]]]], &device);
/// let of_x = position_scores(x, pairs, Tensor::from_data([[[[10.0]]]], &device));
/// assert_eq!(of_x.into_data_as::<f32>().to_vec::<f32>().unwrap(), [6.0, 4.0]);
/// ```
pub fn position_scores(x: Tensor<4>, pairs: Tensor<5>, relevance: Tensor<4>) -> Tensor<4> {
    let contributions = x.unsqueeze_dim::<5>(3) * pairs;
    let sums = contributions.clone().sum_dim(4).squeeze_dim::<4>(4);
    let of_a_unit = ratio(relevance, sums).unsqueeze_dim::<5>(4);
    (contributions * of_a_unit).sum_dim(3).squeeze_dim(3)
}
