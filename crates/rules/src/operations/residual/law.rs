//! Laws for the residual sum y = x + b of a skip connection and a branch.

use burn::tensor::Tensor;

use crate::explicit::ratio;

/// A sum in proportion to its terms: LRP-0, which is also the plain gradient. It conserves.
///
/// ```text
/// R(x) = x / (x + b) * R(y),    R(b) = b / (x + b) * R(y)
/// ```
///
/// All tensors have one shape. Gives R(x) and R(b).
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use relprop_rules::explicit::residual::proportional;
///
/// let [skip, branch, of_y] =
///     [[3.0, 2.0], [-1.0, -2.0], [4.0, 1.0]].map(|x| Tensor::<1>::from_data(x, &Device::flex()));
/// let (of_skip, of_branch) = proportional(skip, branch, of_y);
/// // The second sum is 0: its relevance is dropped.
/// assert_eq!(of_skip.into_data_as::<f32>().to_vec::<f32>().unwrap(), [6.0, 0.0]);
/// assert_eq!(of_branch.into_data_as::<f32>().to_vec::<f32>().unwrap(), [-2.0, 0.0]);
/// ```
pub fn proportional<const D: usize>(
    skip: Tensor<D>,
    branch: Tensor<D>,
    relevance: Tensor<D>,
) -> (Tensor<D>, Tensor<D>) {
    let of_a_unit = ratio(relevance, skip.clone() + branch.clone());
    (skip * of_a_unit.clone(), branch * of_a_unit)
}

/// A sum by the size of its terms, whatever their sign (Otsuki et al. 2024). It conserves, and no
/// term gets more than R(y).
///
/// ```text
/// R(x) = |x| / (|x| + |b|) * R(y),    R(b) = |b| / (|x| + |b|) * R(y)
/// ```
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use relprop_rules::explicit::residual::by_size;
///
/// let [skip, branch, of_y] =
///     [[3.0], [-1.0], [4.0]].map(|x| Tensor::<1>::from_data(x, &Device::flex()));
/// let (of_skip, of_branch) = by_size(skip, branch, of_y);
/// assert_eq!(of_skip.into_scalar::<f32>(), 3.0);
/// assert_eq!(of_branch.into_scalar::<f32>(), 1.0);
/// ```
pub fn by_size<const D: usize>(
    skip: Tensor<D>,
    branch: Tensor<D>,
    relevance: Tensor<D>,
) -> (Tensor<D>, Tensor<D>) {
    proportional(skip.abs(), branch.abs(), relevance)
}

/// Half of a sum's relevance to each of its terms. It conserves.
///
/// ```text
/// R(x) = R(b) = 1/2 R(y)
/// ```
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use relprop_rules::explicit::residual::evenly;
///
/// let (of_skip, of_branch) = evenly(Tensor::<1>::from_data([4.0], &Device::flex()));
/// assert_eq!(of_skip.into_scalar::<f32>(), 2.0);
/// assert_eq!(of_branch.into_scalar::<f32>(), 2.0);
/// ```
pub fn evenly<const D: usize>(relevance: Tensor<D>) -> (Tensor<D>, Tensor<D>) {
    let half = relevance * 0.5;
    (half.clone(), half)
}
