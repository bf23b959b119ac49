//! The general rule, from which the others follow.

use burn::tensor::Tensor;

use super::ratio;

/// Propagates through any map, given its Jacobian (Ali et al. 2022, section 3: the relevance that
/// Gradient x Input gives, from one layer to the one before).
///
/// ```text
/// R(x_i) = sum_j  dy_j/dx_i * x_i / y_j * R(y_j)
/// ```
///
/// `x`: `[rows, i]`, `y` and `relevance`: `[rows, j]`, `jacobian`: dy_j/dx_i of each row,
/// `[rows, i, j]`. Gives `[rows, i]`.
///
/// It conserves where sum_i x_i dy_j/dx_i = y_j, which holds for linear maps without a bias. A map
/// of degree 2 doubles relevance:
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use relprop_rules::explicit::general::general;
///
/// // y = x_1 x_2 at (2, 3): dy/dx = (3, 2).
/// let device = Device::flex();
/// let x = Tensor::<2>::from_data([[2.0, 3.0]], &device);
/// let y = Tensor::<2>::from_data([[6.0]], &device);
/// let jacobian = Tensor::<3>::from_data([[[3.0], [2.0]]], &device);
/// let of_x = general(x, y.clone(), jacobian, y);
/// assert_eq!(of_x.into_data_as::<f32>().to_vec::<f32>().unwrap(), [6.0, 6.0]);
/// ```
pub fn general(x: Tensor<2>, y: Tensor<2>, jacobian: Tensor<3>, relevance: Tensor<2>) -> Tensor<2> {
    let of_a_unit = ratio(relevance, y).unsqueeze_dim::<3>(2);
    x * jacobian.matmul(of_a_unit).squeeze_dim::<2>(2)
}
