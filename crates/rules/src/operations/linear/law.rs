//! Laws for linear maps z_j = sum_i x_i W_ij + b_j.
//!
//! `x` is `[.., i]`, `relevance` is R(z), `[.., j]`, and the result is R(x), `[.., i]`. In each law
//! the bias is one more contribution, that of an input which is always 1, and its relevance is
//! absorbed. With that of the bias, the relevance of the inputs sums to sum_j R(z_j), unless the
//! law says otherwise.
//!
//! The examples have one output, z = 1 * 3 + 2 * (-1) + 1 = 2, with the relevance 2.

use burn::tensor::Tensor;

use crate::explicit::{distribute, rows};
use crate::operations::Linear;

/// LRP-0 (Bach et al. 2015), which is also the plain gradient.
///
/// ```text
/// R(x_i) = sum_j  x_i W_ij / z_j * R(z_j)
/// ```
///
/// ```
/// # use burn::tensor::{Device, Tensor};
/// # use relprop_rules::{explicit::linear::lrp_0, operations::Linear};
/// # let device = Device::flex();
/// let map = Linear {
///     weight: Tensor::from_data([[3.0], [-1.0]], &device),
///     bias: Some(Tensor::from_data([1.0], &device)),
/// };
/// let x = Tensor::<2>::from_data([[1.0, 2.0]], &device);
/// let of_z = Tensor::<2>::from_data([[2.0]], &device);
/// let of_x = lrp_0(&map, x, of_z); // and 1 for the bias
/// assert_eq!(of_x.into_data_as::<f32>().to_vec::<f32>().unwrap(), [3.0, -2.0]);
/// ```
pub fn lrp_0<const D: usize>(linear: &Linear, x: Tensor<D>, relevance: Tensor<D>) -> Tensor<D> {
    let contributions = contributions(linear, x);
    let z = sum(&contributions);
    inputs(contributions, z, relevance)
}

/// LRP-epsilon (Bach et al. 2015).
///
/// ```text
/// R(x_i) = sum_j  x_i W_ij / (z_j + epsilon sign(z_j)) * R(z_j),    sign(0) = 1
/// ```
///
/// Besides the bias, epsilon absorbs epsilon / (|z_j| + epsilon) of R(z_j).
///
/// ```
/// # use burn::tensor::{Device, Tensor};
/// # use relprop_rules::{explicit::linear::epsilon, operations::Linear};
/// # let device = Device::flex();
/// # let map = Linear {
/// #     weight: Tensor::from_data([[3.0], [-1.0]], &device),
/// #     bias: Some(Tensor::from_data([1.0], &device)),
/// # };
/// # let x = Tensor::<2>::from_data([[1.0, 2.0]], &device);
/// # let of_z = Tensor::<2>::from_data([[2.0]], &device);
/// let of_x = epsilon(&map, x, 2.0, of_z); // divided by 4
/// assert_eq!(of_x.into_data_as::<f32>().to_vec::<f32>().unwrap(), [1.5, -1.0]);
/// ```
pub fn epsilon<const D: usize>(
    linear: &Linear,
    x: Tensor<D>,
    epsilon: f64,
    relevance: Tensor<D>,
) -> Tensor<D> {
    let contributions = contributions(linear, x);
    let z = sum(&contributions);
    let is_negative = z.clone().lower_elem(0.0);
    let towards_z = z.full_like(epsilon).mask_fill(is_negative, -epsilon);
    inputs(contributions, z + towards_z, relevance)
}

/// LRP-gamma (Montavon et al. 2019), generalized to inputs of either sign.
///
/// ```text
/// R(x_i) = sum_j  c_ij / g_j * R(z_j),    g_j = sum_i c_ij, the bias among them
/// c_ij   = x_i W_ij * (1 + gamma)  where x_i W_ij has the sign of z_j
///          x_i W_ij                elsewhere
/// ```
///
/// ```
/// # use burn::tensor::{Device, Tensor};
/// # use relprop_rules::{explicit::linear::gamma, operations::Linear};
/// # let device = Device::flex();
/// # let map = Linear {
/// #     weight: Tensor::from_data([[3.0], [-1.0]], &device),
/// #     bias: Some(Tensor::from_data([1.0], &device)),
/// # };
/// # let x = Tensor::<2>::from_data([[1.0, 2.0]], &device);
/// # let of_z = Tensor::<2>::from_data([[2.0]], &device);
/// let of_x = gamma(&map, x, 0.5, of_z); // 4.5, -2 and 1.5 of 4
/// assert_eq!(of_x.into_data_as::<f32>().to_vec::<f32>().unwrap(), [2.25, -1.0]);
/// ```
pub fn gamma<const D: usize>(
    linear: &Linear,
    x: Tensor<D>,
    gamma: f64,
    relevance: Tensor<D>,
) -> Tensor<D> {
    let contributions = contributions(linear, x);
    let z: Tensor<3> = sum(&contributions).unsqueeze_dim(1);
    let agrees = (contributions.clone() * z.sign()).greater_elem(0.0);
    let favored = contributions.clone() * (1.0 + gamma);
    let contributions = contributions.mask_where(agrees, favored);
    let g = sum(&contributions);
    inputs(contributions, g, relevance)
}

/// LRP-gamma in its first form (Montavon et al. 2019), made for inputs that are not negative.
///
/// ```text
/// R(x_i) = sum_j  x_i (W_ij + gamma W_ij^+) / g_j * R(z_j)
/// g_j    = sum_i x_i (W_ij + gamma W_ij^+) + b_j + gamma b_j^+
/// ```
///
/// ```
/// # use burn::tensor::{Device, Tensor};
/// # use relprop_rules::{explicit::linear::gamma_positive, operations::Linear};
/// # let device = Device::flex();
/// # let map = Linear {
/// #     weight: Tensor::from_data([[3.0], [-1.0]], &device),
/// #     bias: Some(Tensor::from_data([1.0], &device)),
/// # };
/// # let x = Tensor::<2>::from_data([[1.0, 2.0]], &device);
/// # let of_z = Tensor::<2>::from_data([[2.0]], &device);
/// let of_x = gamma_positive(&map, x, 0.5, of_z); // as gamma, because no input is negative
/// assert_eq!(of_x.into_data_as::<f32>().to_vec::<f32>().unwrap(), [2.25, -1.0]);
/// ```
pub fn gamma_positive<const D: usize>(
    linear: &Linear,
    x: Tensor<D>,
    gamma: f64,
    relevance: Tensor<D>,
) -> Tensor<D> {
    let favored = Linear {
        weight: linear.weight.clone() + linear.weight.clone().clamp_min(0.0) * gamma,
        bias: linear
            .bias
            .clone()
            .map(|bias| bias.clone() + bias.clamp_min(0.0) * gamma),
    };
    lrp_0(&favored, x, relevance)
}

/// LRP-alpha-beta (Bach et al. 2015), for alpha - beta = 1.
///
/// ```text
/// R(x_i) = sum_j ( alpha * (x_i W_ij)^+ / z_j^+  -  beta * (x_i W_ij)^- / z_j^- ) * R(z_j)
/// ```
///
/// z_j^+ and z_j^- are the sums of the positive and of the negative contributions, the bias among
/// them. An output with no contribution of a sign loses the share of that sign, alpha or -beta.
///
/// ```
/// # use burn::tensor::{Device, Tensor};
/// # use relprop_rules::{explicit::linear::alpha_beta, operations::Linear};
/// # let device = Device::flex();
/// # let map = Linear {
/// #     weight: Tensor::from_data([[3.0], [-1.0]], &device),
/// #     bias: Some(Tensor::from_data([1.0], &device)),
/// # };
/// # let x = Tensor::<2>::from_data([[1.0, 2.0]], &device);
/// # let of_z = Tensor::<2>::from_data([[2.0]], &device);
/// let of_x = alpha_beta(&map, x, 2.0, 1.0, of_z); // 3 of 4 twice, less -2 of -2
/// assert_eq!(of_x.into_data_as::<f32>().to_vec::<f32>().unwrap(), [3.0, -2.0]);
/// ```
pub fn alpha_beta<const D: usize>(
    linear: &Linear,
    x: Tensor<D>,
    alpha: f64,
    beta: f64,
    relevance: Tensor<D>,
) -> Tensor<D> {
    let contributions = contributions(linear, x);
    let signs = [
        contributions.clone().clamp_min(0.0),
        contributions.clamp_max(0.0),
    ];
    let [positive, negative] = signs.map(|of_sign| {
        let z = sum(&of_sign);
        inputs(of_sign, z, relevance.clone())
    });
    positive * alpha - negative * beta
}

/// LRP-z-plus (Montavon et al. 2017): positive contributions alone, alpha = 1 and beta = 0.
///
/// ```text
/// R(x_i) = sum_j  (x_i W_ij)^+ / z_j^+ * R(z_j)
/// ```
///
/// ```
/// # use burn::tensor::{Device, Tensor};
/// # use relprop_rules::{explicit::linear::z_plus, operations::Linear};
/// # let device = Device::flex();
/// # let map = Linear {
/// #     weight: Tensor::from_data([[3.0], [-1.0]], &device),
/// #     bias: Some(Tensor::from_data([1.0], &device)),
/// # };
/// # let x = Tensor::<2>::from_data([[1.0, 2.0]], &device);
/// # let of_z = Tensor::<2>::from_data([[2.0]], &device);
/// let of_x = z_plus(&map, x, of_z);
/// assert_eq!(of_x.into_data_as::<f32>().to_vec::<f32>().unwrap(), [1.5, 0.0]);
/// ```
pub fn z_plus<const D: usize>(linear: &Linear, x: Tensor<D>, relevance: Tensor<D>) -> Tensor<D> {
    let positive = contributions(linear, x).clamp_min(0.0);
    let z = sum(&positive);
    inputs(positive, z, relevance)
}

/// x_i W_ij, and the bias as the last of them: `[rows, i + 1, j]`.
fn contributions<const D: usize>(linear: &Linear, x: Tensor<D>) -> Tensor<3> {
    let [_, outputs] = linear.weight.dims();
    let x = rows(x);
    let [count, _] = x.dims();
    let products = x.unsqueeze_dim::<3>(2) * linear.weight.clone().unsqueeze_dim::<3>(0);
    let bias = match &linear.bias {
        Some(bias) => bias.clone(),
        None => Tensor::zeros([outputs], (&products.device(), products.dtype())),
    };
    let bias = bias.reshape([1, 1, outputs]).expand([count, 1, outputs]);
    Tensor::cat(vec![products, bias], 1)
}

/// What the contributions to each output add up to, `[rows, j]`.
fn sum(contributions: &Tensor<3>) -> Tensor<2> {
    contributions.clone().sum_dim(1).squeeze_dim(1)
}

/// The relevance of the inputs, `[.., i]`; that of the bias is left out.
fn inputs<const D: usize>(
    contributions: Tensor<3>,
    g: Tensor<2>,
    relevance: Tensor<D>,
) -> Tensor<D> {
    let inputs = contributions.dims()[1] - 1;
    let mut shape = relevance.dims();
    shape[D - 1] = inputs;
    distribute(contributions, g, rows(relevance))
        .narrow(1, 0, inputs)
        .reshape(shape)
}
