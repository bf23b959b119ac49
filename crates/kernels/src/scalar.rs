//! Functions of one number in plain arithmetic: no branches, no calls.

use std::f32::consts::{FRAC_1_SQRT_2, LOG2_E};

/// If this is added to a number below 2^22, the lowest bits of the sum hold the nearest integer.
const ROUND: f32 = 12_582_912.0; // 1.5 * 2^23
/// ln 2 in two parts (Cody and Waite 1980): products of the first with small integers are exact.
const LN_2_HIGH: f32 = 0.693_359_4;
const LN_2_LOW: f32 = -2.121_944_4e-4;
/// Below this, the exponential counts as 1.2e-38, about the smallest number with all its digits.
pub(crate) const LEAST: f32 = -87.0;

/// e^x for x <= 0, to 2e-7 of itself.
///
/// x = n ln 2 + r with |r| <= ln(2) / 2; e^r by its Taylor series, 2^n through the bits.
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    let x = if x < LEAST { LEAST } else { x };
    let shifted = x * LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = (x - n * LN_2_HIGH) - n * LN_2_LOW;
    let series = 1.0
        + r * (1.0
            + r * (0.5
                + r * (1.0 / 6.0
                    + r * (1.0 / 24.0
                        + r * (1.0 / 120.0 + r * (1.0 / 720.0 + r * (1.0 / 5040.0)))))));
    let power = f32::from_bits((shifted.to_bits() << 23).wrapping_add(0x3f80_0000));
    series * power
}

/// The fraction of a normal distribution below z, and its density there, times the root of 2 pi.
///
/// Phi(-|z|) = exp(-z^2 / 2) erfcx(u) / 2 with u = |z| / sqrt(2). The scaled complementary error
/// function erfcx(u) is t P(t), t = 1 / (1 + 0.3 u), P of degree 8: a fit of least relative error,
/// 2e-8, for 0 <= u <= 10. So the tail has all its digits; 1/2 + erf / 2 would lose them.
#[inline(always)]
pub(crate) fn normal(z: f32) -> (f32, f32) {
    const P: [f32; 9] = [
        0.169_188_03,
        0.170_714_82,
        0.148_341_66,
        0.214_917_58,
        -0.094_633_14,
        0.547_697_2,
        -0.512_26,
        0.485_555_2,
        -0.129_521_39,
    ];
    let u = z.abs() * FRAC_1_SQRT_2;
    let t = 1.0 / (1.0 + 0.3 * u);
    let mut p = P[8];
    for c in [P[7], P[6], P[5], P[4], P[3], P[2], P[1], P[0]] {
        p = p * t + c;
    }
    let density = exp(-0.5 * z * z);
    let tail = 0.5 * density * (t * p);
    (if z < 0.0 { tail } else { 1.0 - tail }, density)
}

/// The hyperbolic tangent of x, and its part of x, tanh(x) / x, to 2e-7 of themselves.
///
/// Near 0 by the continued fraction of Lambert (1768), x / (1 + x^2 / (3 + x^2 / (5 + ...))), to
/// its sixth level; for larger |x| (1 - e^-2x) / (1 + e^-2x), which would lose digits near 0.
#[inline(always)]
pub(crate) fn tanh(x: f32) -> (f32, f32) {
    let square = x * x;
    let above = 10_395.0 + square * (1_260.0 + square * 21.0);
    let below = 10_395.0 + square * (4_725.0 + square * (210.0 + square));
    let near = above / below;
    let size = x.abs();
    let e = exp(-2.0 * size);
    let far = (1.0 - e) / (1.0 + e);
    if size < 0.6 {
        (x * near, near)
    } else {
        (far.copysign(x), far / size)
    }
}

/// 1 / (1 + e^-x).
#[inline(always)]
pub(crate) fn logistic(x: f32) -> f32 {
    let e = exp(-x.abs());
    let tail = e / (1.0 + e);
    if x < 0.0 { tail } else { 1.0 - tail }
}
