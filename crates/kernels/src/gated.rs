//! Activations y = z * q(z): each number is its own gate.

use crate::parallel::{map, map_to_two};
use crate::scalar::{logistic, normal};

/// An activation y = z * q(z) with 0 <= q <= 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gated {
    /// q(z) = Phi(z), the normal distribution function (Hendrycks and Gimpel 2016).
    Gelu,
    /// q(z) = logistic(2 a), a = sqrt(2 / pi) (z + 0.044715 z^3): that is 1/2 (1 + tanh a).
    GeluTanh,
    /// q(z) = logistic(z).
    Silu,
}

/// What is asked of an activation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// y = z q(z).
    Value,
    /// q(z) = y / z, continued to z = 0.
    Quotient,
}

impl Gated {
    /// `part` of this activation at every number of `z`, to 1e-6 of 1 or of the result's size, whichever
    /// is larger. What is not a number stays so.
    ///
    /// ```
    /// use relprop_kernels::{Gated, Part};
    ///
    /// let z = [-1.0, 0.0, 2.0];
    /// assert_eq!(Gated::Silu.of(Part::Quotient, &z)[1], 0.5);
    /// assert!((Gated::Gelu.of(Part::Value, &z)[2] - 1.954_5).abs() < 1e-4);
    /// ```
    pub fn of(self, part: Part, z: &[f32]) -> Vec<f32> {
        match (self, part) {
            (Self::Gelu, Part::Value) => map(z, |z| z * normal(z).0),
            (Self::Gelu, Part::Quotient) => map(z, |z| normal(z).0),
            (Self::GeluTanh, Part::Value) => map(z, |z| z * logistic(doubled(z))),
            (Self::GeluTanh, Part::Quotient) => map(z, |z| logistic(doubled(z))),
            (Self::Silu, Part::Value) => map(z, |z| z * logistic(z)),
            (Self::Silu, Part::Quotient) => map(z, logistic),
        }
    }

    /// The value, and the slope dy / dz = q(z) + z q'(z), as exact as [`Gated::of`].
    ///
    /// ```
    /// let (value, slope) = relprop_kernels::Gated::Silu.with_slope(&[0.0]);
    /// assert_eq!((value[0], slope[0]), (0.0, 0.5));
    /// ```
    pub fn with_slope(self, z: &[f32]) -> (Vec<f32>, Vec<f32>) {
        match self {
            Self::Gelu => map_to_two(z, |z| {
                let (below, density) = normal(z);
                (z * below, below + z * density * FRAC_1_SQRT_TAU)
            }),
            Self::GeluTanh => map_to_two(z, |z| {
                let q = logistic(doubled(z));
                // Far out the slope is 0 or 1, and the square would overflow.
                let near = z.clamp(-FAR, FAR);
                let bend = SLOPE * (1.0 + 3.0 * CUBIC * near * near);
                (z * q, q + near * q * (1.0 - q) * bend)
            }),
            Self::Silu => map_to_two(z, |z| {
                let q = logistic(z);
                (z * q, q + z * q * (1.0 - q))
            }),
        }
    }
}

/// 1 / sqrt(2 pi).
const FRAC_1_SQRT_TAU: f32 = 0.398_942_3;
/// 2 sqrt(2 / pi).
const SLOPE: f32 = 1.595_769;
const CUBIC: f32 = 0.044_715;
const FAR: f32 = 100.0;

/// 2 a of [`Gated::GeluTanh`].
#[inline(always)]
fn doubled(z: f32) -> f32 {
    SLOPE * z * (1.0 + CUBIC * z * z)
}
