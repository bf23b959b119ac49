//! Gauss-Legendre quadrature.

use std::f64::consts::PI;

/// The `count` nodes and weights on [0, 1]: the sum of weight times value is the integral, exactly
/// for polynomials of a degree below 2 `count`.
///
/// The nodes are the roots of the Legendre polynomial of degree `count`, found by Newton's method
/// (Press et al., Numerical Recipes, section 4.6).
pub(in crate::methods) fn gauss_legendre(count: usize) -> Vec<(f64, f64)> {
    let node = |index: usize| {
        // A guess within the basin of the root.
        let mut x = (PI * (index as f64 + 0.75) / (count as f64 + 0.5)).cos();
        let mut slope;
        loop {
            let (value, previous) = legendre(count, x);
            slope = count as f64 * (x * value - previous) / (x * x - 1.0);
            let step = value / slope;
            x -= step;
            // Steps shrink quadratically: after this one only rounding is left.
            if step.abs() < 1e-14 {
                break;
            }
        }
        // From [-1, 1] to [0, 1], where the weights are half as large.
        ((1.0 - x) / 2.0, 1.0 / ((1.0 - x * x) * slope * slope))
    };
    (0..count).map(node).collect()
}

/// The Legendre polynomials of degree `count` and `count` - 1 at `x`, by
/// (k + 1) P_(k+1) = (2k + 1) x P_k - k P_(k-1).
fn legendre(count: usize, x: f64) -> (f64, f64) {
    let (mut previous, mut value) = (0.0, 1.0);
    for k in 0..count {
        let k = k as f64;
        let next = ((2.0 * k + 1.0) * x * value - k * previous) / (k + 1.0);
        (previous, value) = (value, next);
    }
    (value, previous)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn polynomials_are_integrated_exactly() {
        for count in [1, 2, 3, 7, 20, 64, 200] {
            let rule = gauss_legendre(count);
            for degree in [0, 1, 2, count, 2 * count - 1] {
                if degree >= 2 * count {
                    continue;
                }
                let sum: f64 = rule.iter().map(|(x, w)| w * x.powi(degree as i32)).sum();
                let integral = 1.0 / (degree as f64 + 1.0);
                assert!((sum - integral).abs() < 1e-13, "{count} {degree}: {sum}");
            }
            // The rule is exact no further: the error for x^(2 n) is seen where it is larger than
            // rounding.
            if count <= 3 {
                let sum: f64 = rule.iter().map(|(x, w)| w * x.powi(2 * count as i32)).sum();
                assert!((sum - 1.0 / (2.0 * count as f64 + 1.0)).abs() > 1e-5);
            }
        }
    }

    #[test]
    fn the_nodes_of_three_steps_are_the_known_ones() {
        let rule = gauss_legendre(3);
        let expected = [(0.5 - 0.15_f64.sqrt(), 5.0 / 18.0), (0.5, 4.0 / 9.0)];
        for ((x, w), (node, weight)) in rule.iter().zip(expected) {
            let error = (x - node).abs().max((w - weight).abs());
            assert!(error < 1e-13, "{error:e}");
        }
    }
}
