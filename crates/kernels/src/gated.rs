//! Activations y = z * q(z): each number is its own gate.

use crate::parallel::{change, change_and_map, map};
use crate::scalar::{logistic, normal, tanh};

/// An activation y = z * q(z) with 0 <= q <= 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gated {
    /// q(z) = Phi(z), the normal distribution function (Hendrycks and Gimpel 2016).
    Gelu,
    /// q(z) = logistic(2 a), a = sqrt(2 / pi) (z + 0.044715 z^3): that is 1/2 (1 + tanh a).
    GeluTanh,
    /// q(z) = logistic(z).
    Silu,
    /// q(z) = logistic(1.702 z), which is near Phi(z): CLIP.
    QuickGelu,
    /// q(z) = tanh(z) / z.
    Tanh,
}

impl Gated {
    /// q(z) = y / z, continued to z = 0, for every number of `z`, to 1e-6. NaN stays NaN.
    ///
    /// ```
    /// assert_eq!(relprop_kernels::Gated::Silu.quotient(&[0.0]), [0.5]);
    /// ```
    pub fn quotient(self, z: &[f32]) -> Vec<f32> {
        match self {
            Self::Gelu => map(z, |z| normal(z).0),
            Self::GeluTanh => map(z, |z| logistic(doubled(z))),
            Self::Silu => map(z, logistic),
            Self::QuickGelu => map(z, |z| logistic(QUICK * z)),
            Self::Tanh => map(z, |z| tanh(z).1),
        }
    }

    /// Replaces every number z by y = z q(z), to 1e-6 of 1 or of the size of y, whichever is
    /// larger. NaN stays NaN.
    ///
    /// ```
    /// let mut z = [-1.0, 0.0, 2.0];
    /// relprop_kernels::Gated::Gelu.value(&mut z);
    /// assert!((z[2] - 1.954_5).abs() < 1e-4);
    /// ```
    pub fn value(self, z: &mut [f32]) {
        match self {
            Self::Gelu => change(z, |z| z * normal(z).0),
            Self::GeluTanh => change(z, |z| z * logistic(doubled(z))),
            Self::Silu => change(z, |z| z * logistic(z)),
            Self::QuickGelu => change(z, |z| z * logistic(QUICK * z)),
            Self::Tanh => change(z, |z| tanh(z).0),
        }
    }

    /// Does what [`Gated::value`] does, and returns the slopes dy / dz = q(z) + z q'(z), which are
    /// as exact.
    ///
    /// ```
    /// let mut z = [0.0];
    /// assert_eq!(relprop_kernels::Gated::Silu.value_and_slope(&mut z), [0.5]);
    /// assert_eq!(z, [0.0]);
    /// ```
    pub fn value_and_slope(self, z: &mut [f32]) -> Vec<f32> {
        match self {
            Self::Gelu => change_and_map(z, |z| {
                let (below, density) = normal(z);
                (z * below, below + z * density * FRAC_1_SQRT_TAU)
            }),
            Self::GeluTanh => change_and_map(z, |z| {
                let q = logistic(doubled(z));
                // For large |z| the slope is 0 or 1, and the square would overflow.
                let near = z.clamp(-FAR, FAR);
                let bend = SLOPE * (1.0 + 3.0 * CUBIC * near * near);
                (z * q, q + near * q * (1.0 - q) * bend)
            }),
            Self::Silu => change_and_map(z, |z| {
                let q = logistic(z);
                (z * q, q + z * q * (1.0 - q))
            }),
            Self::QuickGelu => change_and_map(z, |z| {
                let q = logistic(QUICK * z);
                (z * q, q + QUICK * z * q * (1.0 - q))
            }),
            Self::Tanh => change_and_map(z, |z| {
                let y = tanh(z).0;
                (y, 1.0 - y * y)
            }),
        }
    }
}

/// 1 / sqrt(2 pi).
const FRAC_1_SQRT_TAU: f32 = 0.398_942_3;
/// 2 sqrt(2 / pi).
const SLOPE: f32 = 1.595_769;
const CUBIC: f32 = 0.044_715;
/// The factor of z in [`Gated::QuickGelu`].
const QUICK: f32 = 1.702;
const FAR: f32 = 100.0;

/// 2 a of [`Gated::GeluTanh`].
#[inline(always)]
fn doubled(z: f32) -> f32 {
    SLOPE * z * (1.0 + CUBIC * z * z)
}
