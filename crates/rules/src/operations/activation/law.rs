//! Laws for activations y = phi(z), each number by itself.

use burn::tensor::Tensor;

use crate::explicit::ratio;

/// The identity rule (AttnLRP, Achtibat et al. 2024, equation 9). It conserves.
///
/// ```text
/// R(z) = R(y)
/// ```
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use relprop_rules::explicit::activation::identity;
///
/// let of_z = identity(Tensor::<1>::from_data([3.0, -1.0], &Device::flex()));
/// assert_eq!(of_z.into_data_as::<f32>().to_vec::<f32>().unwrap(), [3.0, -1.0]);
/// ```
pub fn identity<const D: usize>(relevance: Tensor<D>) -> Tensor<D> {
    relevance
}

/// An activation under its plain gradient: the general rule, elementwise.
///
/// ```text
/// R(z) = z phi'(z) / phi(z) * R(y)
/// ```
///
/// `y` is phi(z) and `slope` is phi'(z): [`gelu_slope`], [`gelu_tanh_slope`], [`relu_slope`],
/// [`silu_slope`], [`quick_gelu_slope`], [`tanh_slope`], or that of any other activation. It conserves where phi(z) = z phi'(z), as ReLU does.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use relprop_rules::explicit::activation::plain_gradient;
///
/// // phi(z) = z^2 doubles relevance.
/// let z = Tensor::<1>::from_data([3.0, 0.0], &Device::flex());
/// let (y, slope) = (z.clone() * z.clone(), z.clone() * 2.0);
/// let of_z = plain_gradient(z, y, slope, Tensor::from_data([5.0, 0.0], &Device::flex()));
/// assert_eq!(of_z.into_data_as::<f32>().to_vec::<f32>().unwrap(), [10.0, 0.0]);
/// ```
pub fn plain_gradient<const D: usize>(
    z: Tensor<D>,
    y: Tensor<D>,
    slope: Tensor<D>,
    relevance: Tensor<D>,
) -> Tensor<D> {
    z * slope * ratio(relevance, y)
}

/// phi'(z) of GELU, phi(z) = z Phi(z) with the exact normal distribution function.
///
/// ```text
/// phi'(z) = Phi(z) + z exp(-z^2 / 2) / sqrt(2 pi)
/// ```
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use relprop_rules::explicit::activation::gelu_slope;
///
/// let slope = gelu_slope(Tensor::<1>::from_data([0.0], &Device::flex()));
/// assert_eq!(slope.into_scalar::<f32>(), 0.5);
/// ```
pub fn gelu_slope<const D: usize>(z: Tensor<D>) -> Tensor<D> {
    let distribution = (z.clone() / std::f64::consts::SQRT_2).erf() * 0.5 + 0.5;
    let density = (z.clone().square() * -0.5).exp() / (2.0 * std::f64::consts::PI).sqrt();
    distribution + z * density
}

/// phi'(z) of GELU with a hyperbolic tangent, phi(z) = z (1 + t) / 2.
///
/// ```text
/// phi'(z) = (1 + t) / 2 + z (1 - t^2) / 2 * sqrt(2 / pi) (1 + 3 a z^2)
/// t       = tanh(sqrt(2 / pi) (z + a z^3)),    a = 0.044715
/// ```
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use relprop_rules::explicit::activation::gelu_tanh_slope;
///
/// let slope = gelu_tanh_slope(Tensor::<1>::from_data([0.0], &Device::flex()));
/// assert_eq!(slope.into_scalar::<f32>(), 0.5);
/// ```
pub fn gelu_tanh_slope<const D: usize>(z: Tensor<D>) -> Tensor<D> {
    let (a, factor) = (0.044715, std::f64::consts::FRAC_2_PI.sqrt());
    let square = z.clone().square();
    let t = (z.clone() * (square.clone() * a + 1.0) * factor).tanh();
    let slope_of_t = (t.clone().square() * -1.0 + 1.0) * (square * (3.0 * a) + 1.0) * factor;
    (t + 1.0 + z * slope_of_t) * 0.5
}

/// phi'(z) of ReLU: 1 above 0, and 0 elsewhere.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use relprop_rules::explicit::activation::relu_slope;
///
/// let slope = relu_slope(Tensor::<1>::from_data([2.0, 0.0, -2.0], &Device::flex()));
/// assert_eq!(slope.into_data_as::<f32>().to_vec::<f32>().unwrap(), [1.0, 0.0, 0.0]);
/// ```
pub fn relu_slope<const D: usize>(z: Tensor<D>) -> Tensor<D> {
    let is_up = z.clone().greater_elem(0.0);
    z.zeros_like().mask_fill(is_up, 1.0)
}

/// phi'(z) of SiLU, phi(z) = z s with s = sigmoid(z).
///
/// ```text
/// phi'(z) = s (1 + z (1 - s))
/// ```
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use relprop_rules::explicit::activation::silu_slope;
///
/// let slope = silu_slope(Tensor::<1>::from_data([0.0], &Device::flex()));
/// assert_eq!(slope.into_scalar::<f32>(), 0.5);
/// ```
pub fn silu_slope<const D: usize>(z: Tensor<D>) -> Tensor<D> {
    let s = burn::tensor::activation::sigmoid(z.clone());
    s.clone() * (z * (s * -1.0 + 1.0) + 1.0)
}

/// phi'(z) of the quick GELU, phi(z) = z s with s = sigmoid(a z), a = 1.702.
///
/// ```text
/// phi'(z) = s (1 + a z (1 - s))
/// ```
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use relprop_rules::explicit::activation::quick_gelu_slope;
///
/// let slope = quick_gelu_slope(Tensor::<1>::from_data([0.0], &Device::flex()));
/// assert_eq!(slope.into_scalar::<f32>(), 0.5);
/// ```
pub fn quick_gelu_slope<const D: usize>(z: Tensor<D>) -> Tensor<D> {
    let scaled = z * 1.702;
    let s = ((scaled.clone() * -1.0).exp() + 1.0).recip();
    s.clone() * (scaled * (s * -1.0 + 1.0) + 1.0)
}

/// phi'(z) of the clip: 1 between -1 and 1, and 0 beyond.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use relprop_rules::explicit::activation::clip_slope;
///
/// let slope = clip_slope(Tensor::<1>::from_data([-2.0, 0.5, 2.0], &Device::flex()));
/// assert_eq!(slope.into_data_as::<f32>().to_vec::<f32>().unwrap(), [0.0, 1.0, 0.0]);
/// ```
pub fn clip_slope<const D: usize>(z: Tensor<D>) -> Tensor<D> {
    z.clone()
        .abs()
        .lower_equal_elem(1.0)
        .float()
        .cast(z.dtype())
}

/// phi'(z) of the clip above: 1 up to 1, and 0 beyond.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use relprop_rules::explicit::activation::clip_above_slope;
///
/// let slope = clip_above_slope(Tensor::<1>::from_data([-2.0, 0.5, 2.0], &Device::flex()));
/// assert_eq!(slope.into_data_as::<f32>().to_vec::<f32>().unwrap(), [1.0, 1.0, 0.0]);
/// ```
pub fn clip_above_slope<const D: usize>(z: Tensor<D>) -> Tensor<D> {
    z.clone().lower_equal_elem(1.0).float().cast(z.dtype())
}

/// phi'(z) of the hyperbolic tangent.
///
/// ```text
/// phi'(z) = 1 - tanh(z)^2
/// ```
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use relprop_rules::explicit::activation::tanh_slope;
///
/// let slope = tanh_slope(Tensor::<1>::from_data([0.0], &Device::flex()));
/// assert_eq!(slope.into_scalar::<f32>(), 1.0);
/// ```
pub fn tanh_slope<const D: usize>(z: Tensor<D>) -> Tensor<D> {
    z.tanh().square() * -1.0 + 1.0
}
