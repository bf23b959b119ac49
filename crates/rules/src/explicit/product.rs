//! Laws for products of two signals: matrix products, and gates.
//!
//! A matrix product is y_ij = sum_k a_ik b_kj, with `a` `[.., i, k]`, `b` `[.., k, j]` and
//! `relevance` `[.., i, j]`. A gate is y = a * b, elementwise. Each function gives the relevance of
//! both factors.

use burn::tensor::Tensor;

use super::ratio;
pub use crate::operations::gate::law::*;

/// The uniform rule for a matrix product (AttnLRP, Achtibat et al. 2024, proposition 3.3): half to
/// each factor. It conserves.
///
/// ```text
/// R(a_ik) = 1/2 sum_j  a_ik b_kj / y_ij * R(y_ij)
/// R(b_kj) = 1/2 sum_i  a_ik b_kj / y_ij * R(y_ij)
/// ```
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use relprop_rules::explicit::product::uniform;
///
/// // y = 1 * 3 + 2 * 1 = 5
/// let device = Device::flex();
/// let a = Tensor::<2>::from_data([[1.0, 2.0]], &device);
/// let b = Tensor::<2>::from_data([[3.0], [1.0]], &device);
/// let (of_a, of_b) = uniform(a, b, Tensor::from_data([[10.0]], &device));
/// assert_eq!(of_a.into_data_as::<f32>().to_vec::<f32>().unwrap(), [3.0, 2.0]);
/// assert_eq!(of_b.into_data_as::<f32>().to_vec::<f32>().unwrap(), [3.0, 2.0]);
/// ```
pub fn uniform<const D: usize>(
    a: Tensor<D>,
    b: Tensor<D>,
    relevance: Tensor<D>,
) -> (Tensor<D>, Tensor<D>) {
    plain_gradient(a, b, relevance * 0.5)
}

/// A matrix product under its plain gradient: each factor gets all of the relevance. It counts
/// everything twice, so it does not conserve.
///
/// ```text
/// R(a_ik) = sum_j  a_ik b_kj / y_ij * R(y_ij),    R(b_kj) = sum_i  a_ik b_kj / y_ij * R(y_ij)
/// ```
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use relprop_rules::explicit::product::plain_gradient;
///
/// let device = Device::flex();
/// let a = Tensor::<2>::from_data([[1.0, 2.0]], &device);
/// let b = Tensor::<2>::from_data([[3.0], [1.0]], &device);
/// let (of_a, of_b) = plain_gradient(a, b, Tensor::from_data([[10.0]], &device));
/// assert_eq!(of_a.into_data_as::<f32>().to_vec::<f32>().unwrap(), [6.0, 4.0]);
/// assert_eq!(of_b.into_data_as::<f32>().to_vec::<f32>().unwrap(), [6.0, 4.0]);
/// ```
pub fn plain_gradient<const D: usize>(
    a: Tensor<D>,
    b: Tensor<D>,
    relevance: Tensor<D>,
) -> (Tensor<D>, Tensor<D>) {
    let of_a_unit = ratio(relevance, a.clone().matmul(b.clone()));
    let of_a = a.clone() * of_a_unit.clone().matmul(b.clone().swap_dims(D - 2, D - 1));
    let of_b = b * a.swap_dims(D - 2, D - 1).matmul(of_a_unit);
    (of_a, of_b)
}
