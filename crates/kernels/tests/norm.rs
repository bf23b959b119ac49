//! Norms against plain loops in f64, and their gradients against differences.

use relprop_kernels::{Norm, Row, Through};

const EPSILON: f64 = 1e-5;

/// Numbers of about unit size around `offset`, the same in every run.
fn numbers(count: usize, seed: f64, offset: f64) -> Vec<f32> {
    (0..count)
        .map(|index| ((index as f64 * 12.9898 + seed).sin() * 43_758.545).fract() + offset)
        .map(|x| x as f32)
        .collect()
}

/// The norm of one row, from the definition.
fn expected(x: &[f64], centered: bool, gamma: &[f32], beta: &[f32]) -> Vec<f64> {
    let (mean, scale) = moments(x, centered);
    (0..x.len())
        .map(|i| (x[i] - mean) * scale * f64::from(gamma[i]) + f64::from(beta[i]))
        .collect()
}

fn moments(x: &[f64], centered: bool) -> (f64, f64) {
    let mut mean = 0.0;
    if centered {
        for value in x {
            mean += value / x.len() as f64;
        }
    }
    (mean, scale_around(x, mean))
}

fn scale_around(x: &[f64], mean: f64) -> f64 {
    let mut variance = 0.0;
    for value in x {
        variance += (value - mean) * (value - mean) / x.len() as f64;
    }
    1.0 / (variance + EPSILON).sqrt()
}

/// What flows back to a row: differences of sum_i gradient_i y_i, where a part that nothing flows through
/// keeps its value.
fn expected_back(
    x: &[f64],
    centered: bool,
    gamma: &[f32],
    g: &[f32],
    through: Through<'_>,
) -> Vec<f64> {
    let held = moments(x, centered);
    let target = |x: &[f64]| {
        let mean = match through.mean {
            true => moments(x, centered).0,
            false => held.0,
        };
        let scale = match through.scale {
            Some(_) => scale_around(x, mean),
            None => held.1,
        };
        let mut sum = 0.0;
        for i in 0..x.len() {
            sum += f64::from(g[i]) * (x[i] - mean) * scale * f64::from(gamma[i]);
        }
        sum
    };
    (0..x.len())
        .map(|i| {
            let moved = |by: f64| {
                let mut x = x.to_vec();
                x[i] += by;
                target(&x)
            };
            (moved(1e-6) - moved(-1e-6)) / 2e-6
        })
        .collect()
}

/// 1 / sqrt(mean of the squares + epsilon), and its slope.
fn inside_root(features: usize) -> impl Fn(f32) -> (f32, f32) + Copy + Send + Sync {
    move |squares| {
        let scale = (squares / features as f32 + EPSILON as f32).sqrt().recip();
        (scale, scale * scale / features as f32)
    }
}

/// Rows shorter and longer than a register, and more of them than one piece of work holds.
const SHAPES: [(usize, usize); 6] = [(1, 1), (3, 5), (2, 32), (7, 33), (300, 48), (5, 9000)];

#[test]
fn values_and_gradients_are_those_of_plain_loops() {
    for (rows, features) in SHAPES {
        let x = numbers(rows * features, 1.0, 0.3);
        let g = numbers(rows * features, 2.0, -0.5);
        let (gamma, beta) = (numbers(features, 3.0, 0.5), numbers(features, 4.0, 0.0));
        for centered in [true, false] {
            let norm = Norm {
                centered,
                gamma: &gamma,
                beta: &beta,
            };
            let (y, found) = norm.forward(&x, inside_root(features));
            assert_eq!(found.len(), rows);
            let ways = [(true, true), (true, false), (false, true), (false, false)];
            let ways = ways.map(|(mean, scale)| Through {
                mean,
                scale: scale.then_some(&x[..]),
            });
            let backs = ways.map(|through| {
                let mut flow = g.clone();
                norm.backward(&mut flow, &found, through);
                flow
            });
            // The loops for a gradient cost the square of the features.
            let looked_at = if features > 1000 { 0 } else { rows.min(3) };
            for row in (0..rows).take(3).chain(rows.saturating_sub(2)..rows) {
                let of = |x: &[f32]| x[row * features..(row + 1) * features].to_vec();
                let wide: Vec<f64> = of(&x).iter().map(|x| f64::from(*x)).collect();
                near(&of(&y), &expected(&wide, centered, &gamma, &beta), 2e-6);
                if row < looked_at {
                    for (through, back) in ways.iter().zip(&backs) {
                        let twin = expected_back(&wide, centered, &gamma, &of(&g), *through);
                        // Of a single feature, or of rounding alone, nothing is left to compare.
                        let scale = f64::from(found[row].scale).max(1.0);
                        near_of(&of(back), &twin, 1e-5 * scale);
                    }
                }
            }
        }
    }
}

fn near(found: &[f32], expected: &[f64], tolerance: f64) {
    let largest = expected.iter().fold(1.0, |most: f64, x| most.max(x.abs()));
    near_of(found, expected, tolerance * largest);
}

fn near_of(found: &[f32], expected: &[f64], tolerance: f64) {
    for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
        let error = (f64::from(*found) - expected).abs();
        assert!(error <= tolerance, "{index}: {found}, not {expected}");
    }
}

#[test]
fn what_is_not_a_number_stays_in_its_row() {
    let (gamma, beta) = ([1.0; 4], [0.0; 4]);
    let norm = Norm {
        centered: true,
        gamma: &gamma,
        beta: &beta,
    };
    let x = [1.0, f32::NAN, 2.0, 3.0, 1.0, 2.0, 3.0, 4.0];
    let (y, rows) = norm.forward(&x, inside_root(4));
    assert!(y[..4].iter().all(|y| y.is_nan()));
    assert!(y[4..].iter().all(|y| y.is_finite()));
    assert!(rows[0].scale.is_nan());
    let quiet = Row {
        mean: 2.5,
        ..rows[1]
    };
    assert_eq!(rows[1], quiet);
}
