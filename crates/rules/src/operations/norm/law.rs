//! Laws for layer normalization y_j = s gamma_j sum_i x_i C_ij + beta_j.
//!
//! C = I - 1/N is the centering matrix, and s the scale: 1 / sqrt(Var(x) + epsilon), or
//! 1 / (std(x) + epsilon). `x`, `relevance` (which is R(y)) and the result R(x) are
//! `[.., features]`.

use burn::tensor::Tensor;

use crate::explicit::{distribute, general::general, ratio, rows};
use crate::operations::{Norm, NormScale};

/// The LN-rule (Ali et al. 2022, section 4): the scale s is a constant.
///
/// ```text
/// R(x_i) = sum_j  x_i C_ij s gamma_j / (sum_i' x_i' C_i'j s gamma_j + beta_j) * R(y_j)
/// ```
///
/// Without beta, s and gamma cancel, and this is the paper's R(x_i) = sum_j x_i C_ij / (sum_i' x_i'
/// C_i'j) * R(y_j). It conserves relevance except for beta, which absorbs beta_j / y_j of R(y_j).
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use relprop_rules::{explicit::norm::ln_rule, operations::Norm};
///
/// // x = (1, 5) is centered to (-2, 2).
/// let device = Device::flex();
/// let x = Tensor::<2>::from_data([[1.0, 5.0]], &device);
/// let of_x = ln_rule(&Norm::plain(1e-12), x, Tensor::from_data([[0.0, 4.0]], &device));
/// // Of y_2: 1 * (-1/2) / 2 and 5 * 1/2 / 2 of 4.
/// let of_x = of_x.into_data_as::<f32>().to_vec::<f32>().unwrap();
/// assert!((of_x[0] + 1.0).abs() < 1e-5 && (of_x[1] - 5.0).abs() < 1e-5);
/// ```
pub fn ln_rule<const D: usize>(norm: &Norm, x: Tensor<D>, relevance: Tensor<D>) -> Tensor<D> {
    let shape = x.dims();
    let parts = Parts::of(norm, rows(x.clone()));
    let contributions = rows(x).unsqueeze_dim::<3>(2) * parts.linear();
    distribute(contributions, parts.y(), rows(relevance)).reshape(shape)
}

/// A norm under its plain gradient: the [general rule](general()) with [`jacobian`].
///
/// ```text
/// R(x_i) = sum_j  dy_j/dx_i * x_i / y_j * R(y_j)
/// ```
///
/// It does not conserve: without beta, epsilon / (epsilon + Var(x)) of the relevance is left, or
/// epsilon / (epsilon + std(x)), which is next to nothing for the epsilons in use.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use relprop_rules::{explicit::norm::plain_gradient, operations::Norm};
///
/// // Var(x) = 4, so with an epsilon of 4 a half is left.
/// let device = Device::flex();
/// let x = Tensor::<2>::from_data([[1.0, 5.0]], &device);
/// let of_x = plain_gradient(&Norm::plain(4.0), x, Tensor::from_data([[1.0, 3.0]], &device));
/// assert!((of_x.sum().into_scalar::<f32>() - 2.0).abs() < 1e-5);
/// ```
pub fn plain_gradient<const D: usize>(
    norm: &Norm,
    x: Tensor<D>,
    relevance: Tensor<D>,
) -> Tensor<D> {
    let shape = x.dims();
    let x = rows(x);
    let y = Parts::of(norm, x.clone()).y();
    general(x.clone(), y, jacobian(norm, x), rows(relevance)).reshape(shape)
}

/// dy_j/dx_i of each row of `x`, `[rows, i]`: `[rows, i, j]`.
///
/// ```text
/// dy_j/dx_i = gamma_j (s C_ij + c_j ds/dx_i),    c_j = sum_i x_i C_ij
/// ds/dx_i   = -s^3 c_i / N                for s = 1 / sqrt(Var(x) + epsilon)
/// ds/dx_i   = -s^2 c_i / ((N - 1) std(x))  for s = 1 / (std(x) + epsilon)
/// ```
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use relprop_rules::{explicit::norm::jacobian, operations::Norm};
///
/// // Without an epsilon, two features always give (-1, 1) or (1, -1), so the Jacobian is 0.
/// let x = Tensor::<2>::from_data([[1.0, 5.0]], &Device::flex());
/// let jacobian = jacobian(&Norm::plain(0.0), x);
/// assert_eq!(jacobian.into_data_as::<f32>().to_vec::<f32>().unwrap(), [0.0; 4]);
/// ```
pub fn jacobian(norm: &Norm, x: Tensor<2>) -> Tensor<3> {
    let parts = Parts::of(norm, x);
    let through_scale =
        parts.scale_slope().unsqueeze_dim::<3>(2) * parts.centered.clone().unsqueeze_dim::<3>(1);
    parts.linear() + through_scale * parts.gamma.unsqueeze_dim::<3>(1)
}

/// The intermediate values of a norm, for each row.
struct Parts {
    /// C, `[i, j]`.
    centering: Tensor<2>,
    /// c, `[rows, j]`.
    centered: Tensor<2>,
    /// s, `[rows, 1]`.
    scale: Tensor<2>,
    /// The standard deviation of each row by the norm's own definition, `[rows, 1]`.
    deviation: Tensor<2>,
    place: NormScale,
    /// `[1, j]`.
    gamma: Tensor<2>,
    beta: Tensor<2>,
}

impl Parts {
    fn of(norm: &Norm, x: Tensor<2>) -> Self {
        let [_, features] = x.dims();
        let n = features as f64;
        let options = (&x.device(), x.dtype());
        let parameter = |value: &Option<Tensor<1>>, default: f64| match value {
            Some(value) => value.clone().unsqueeze(),
            None => Tensor::full([1, features], default, options),
        };
        let gamma = parameter(&norm.gamma, 1.0);
        let beta = parameter(&norm.beta, 0.0);
        let identity = Tensor::<2>::eye(features, &x.device()).cast(x.dtype());
        let centering = match norm.scale {
            NormScale::RootMeanSquare(_) => identity,
            NormScale::InsideRoot(_) | NormScale::OutsideRoot(_) => identity - 1.0 / n,
        };
        let centered = x.matmul(centering.clone());
        let squares = centered.clone().square().sum_dim(1);
        let (deviation, scale) = match norm.scale {
            NormScale::InsideRoot(epsilon) | NormScale::RootMeanSquare(epsilon) => {
                let variance = squares / n;
                (variance.clone().sqrt(), (variance + epsilon).sqrt())
            }
            NormScale::OutsideRoot(epsilon) => {
                let deviation = (squares / (n - 1.0)).sqrt();
                (deviation.clone(), deviation + epsilon)
            }
        };
        Self {
            centering,
            centered,
            scale: scale.recip(),
            deviation,
            place: norm.scale,
            gamma,
            beta,
        }
    }

    /// `[rows, j]`.
    fn y(&self) -> Tensor<2> {
        self.centered.clone() * self.scale.clone() * self.gamma.clone() + self.beta.clone()
    }

    /// C_ij s gamma_j, `[rows, i, j]`: the Jacobian while s is a constant.
    fn linear(&self) -> Tensor<3> {
        let factors = self.scale.clone() * self.gamma.clone();
        self.centering.clone().unsqueeze_dim::<3>(0) * factors.unsqueeze_dim::<3>(1)
    }

    /// ds/dx_i, `[rows, i]`.
    fn scale_slope(&self) -> Tensor<2> {
        let [count, features] = self.centered.dims();
        let n = features as f64;
        let scale = self.scale.clone();
        match self.place {
            NormScale::InsideRoot(_) | NormScale::RootMeanSquare(_) => {
                self.centered.clone() * scale.powi_scalar(3) / -n
            }
            NormScale::OutsideRoot(_) => {
                // A row of equal features has no slope, and no deviation to divide by.
                let deviation = self.deviation.clone().expand([count, features]);
                ratio(self.centered.clone(), deviation) * scale.square() / (1.0 - n)
            }
        }
    }
}
