//! The laws of propagation written out: R(y) -> R(x) as plain functions on tensors.
//!
//! A [`Rule`](crate::Rule) states its law by choosing a gradient, and autodiff goes through the
//! network. This module has the same laws as the papers print them, and differentiates nothing.
//! They are for reading, for checking (the tests propagate through whole Transformers with them and
//! compare), and for networks that are no Burn graph. They compute every contribution x_i W_ij as a
//! number of its own, so they take more memory than the rules.
//!
//! | module | operation | laws |
//! | --- | --- | --- |
//! | [`general`] | any, given its Jacobian | Ali et al. 2022 |
//! | [`linear`] | linear map | LRP-0, epsilon, gamma, alpha-beta, z-plus |
//! | [`attention`] | scores, their bias, softmax, mixing of values | AH-rule, uniform rule, plain gradient |
//! | [`norm`] | layer normalization | LN-rule, plain gradient |
//! | [`activation`] | activation | identity rule, plain gradient |
//! | [`experts`] | router of a mixture of experts | plain gradient |
//! | [`product`] | matrix product, gate | uniform rule, plain gradient, signal takes all |
//! | [`residual`] | residual sum, pooling | in proportion, by size, evenly |
//!
//! Three things hold for all of them:
//!
//! * Features are the last axis. Every function takes the values of the forward pass and the
//!   relevance of the output, and gives the relevance of the input in the input's shape.
//! * The relevance of a signal that is used several times is the sum of the relevance from each
//!   use.
//! * 0 / 0 is 0. The relevance of an output that is exactly 0 cannot be divided among
//!   contributions, so it is dropped. (If relevance is a signal times its gradient, such an output
//!   has none.)
//!
//! ```
//! use burn::tensor::{Device, Tensor};
//! use relprop_rules::{explicit, operations::Linear};
//!
//! // y = relu(x W + b) with x = (1, 2): z = (4, -1) and y = (4, 0).
//! let device = Device::flex();
//! let x = Tensor::<2>::from_data([[1.0, 2.0]], &device);
//! let map = Linear {
//!     weight: Tensor::from_data([[1.0, 1.0], [1.0, -1.0]], &device),
//!     bias: Some(Tensor::from_data([1.0, 0.0], &device)),
//! };
//! let of_y = Tensor::<2>::from_data([[4.0, 0.0]], &device);
//!
//! let of_z = explicit::activation::identity(of_y);
//! let of_x = explicit::linear::lrp_0(&map, x, of_z);
//! // The bias gets a quarter, and the inputs the rest.
//! assert_eq!(of_x.into_data_as::<f32>().to_vec::<f32>().unwrap(), [1.0, 2.0]);
//! ```

pub mod general;
pub mod product;

use burn::tensor::Tensor;

pub use crate::operations::activation::law as activation;
pub use crate::operations::experts::law as experts;
pub use crate::operations::linear::law as linear;
pub use crate::operations::norm::law as norm;

/// Laws for attention heads: scores, their bias, softmax, mixing of values.
pub mod attention {
    pub use crate::operations::attention::bias::law::*;
    pub use crate::operations::attention::mix::law::*;
    pub use crate::operations::attention::positions::law::*;
    pub use crate::operations::attention::scores::law::*;
    pub use crate::operations::attention::weights::law::*;
}

/// Laws for sums: the residual sum, and pooling.
pub mod residual {
    pub use crate::operations::pooling::law::*;
    pub use crate::operations::residual::law::*;
}

/// relevance / y; 0 where y is 0.
pub(crate) fn ratio<const D: usize>(relevance: Tensor<D>, y: Tensor<D>) -> Tensor<D> {
    let is_zero = y.clone().equal_elem(0.0);
    (relevance / y.mask_fill(is_zero.clone(), 1.0)).mask_fill(is_zero, 0.0)
}

/// sum_j c_ij / g_j R_j for contributions c `[rows, i, j]`, and g and R `[rows, j]`.
pub(crate) fn distribute(
    contributions: Tensor<3>,
    g: Tensor<2>,
    relevance: Tensor<2>,
) -> Tensor<2> {
    let of_a_unit = ratio(relevance, g).unsqueeze_dim::<3>(1);
    (contributions * of_a_unit).sum_dim(2).squeeze_dim(2)
}

/// `[.., features]` as `[rows, features]`.
pub(crate) fn rows<const D: usize>(x: Tensor<D>) -> Tensor<2> {
    let features = x.dims()[D - 1];
    let count = x.dims()[..D - 1].iter().product();
    x.reshape([count, features])
}
