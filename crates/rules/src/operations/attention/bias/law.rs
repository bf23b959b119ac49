//! The law for biased scores y_ij = q_ij + b_ij.

use burn::tensor::Tensor;

use crate::explicit::ratio;

/// Biased scores in proportion to their terms: LRP-0, which is also the plain gradient. The bias absorbs
/// its share.
///
/// ```text
/// R(q_ij) = q_ij / (q_ij + b_ij) * R(y_ij)
/// ```
///
/// `scores`, `bias` and `relevance`: `[batch, head, query, key]`. Gives R(q).
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use relprop_rules::explicit::attention::biased_scores;
///
/// let [scores, bias, of_y] =
///     [[[[[3.0, 2.0]]]], [[[[-1.0, 0.0]]]], [[[[4.0, 1.0]]]]].map(|x| Tensor::<4>::from_data(x, &Device::flex()));
/// let of_scores = biased_scores(scores, bias, of_y);
/// assert_eq!(of_scores.into_data_as::<f32>().to_vec::<f32>().unwrap(), [6.0, 1.0]);
/// ```
pub fn biased_scores(scores: Tensor<4>, bias: Tensor<4>, relevance: Tensor<4>) -> Tensor<4> {
    let of_a_unit = ratio(relevance, scores.clone() + bias);
    scores * of_a_unit
}
