//! Every part of every activation against its definition in f64, computed by numerical integration and
//! the standard library's exponential, which share nothing with the kernels.

use relprop_kernels::{Gated, Part as Known};

/// What there is to check.
#[derive(Clone, Copy, Debug)]
enum Part {
    Value,
    Quotient,
    /// The value and the slope come together, and the value must be that which comes alone.
    Slope,
}

fn found(activation: Gated, part: Part, z: &[f32]) -> Vec<f32> {
    match part {
        Part::Value => activation.of(Known::Value, z),
        Part::Quotient => activation.of(Known::Quotient, z),
        Part::Slope => {
            let (value, slope) = activation.with_slope(z);
            let bits = |y: Vec<f32>| y.into_iter().map(f32::to_bits).collect::<Vec<_>>();
            assert_eq!(bits(value), bits(activation.of(Known::Value, z)));
            slope
        }
    }
}

/// The normal distribution function by Simpson's rule over the density from 0 to z.
fn phi(z: f64) -> f64 {
    const STEPS: usize = 4000;
    if z < -6.0 {
        // The tail by its asymptotic series, which is exact enough there.
        let square = 1.0 / (z * z);
        let series =
            1.0 - square * (1.0 - 3.0 * square * (1.0 - 5.0 * square * (1.0 - 7.0 * square)));
        return density(z) / -z * series;
    }
    let step = z / STEPS as f64;
    let sum: f64 = (0..=STEPS)
        .map(|index| {
            let weight = match index {
                0 | STEPS => 1.0,
                odd if odd % 2 == 1 => 4.0,
                _ => 2.0,
            };
            weight * density(step * index as f64)
        })
        .sum();
    0.5 + sum * step / 3.0
}

fn density(z: f64) -> f64 {
    (-0.5 * z * z).exp() / std::f64::consts::TAU.sqrt()
}

fn quotient(activation: Gated, z: f64) -> f64 {
    match activation {
        Gated::Gelu => phi(z),
        Gated::GeluTanh => {
            let a = (2.0 / std::f64::consts::PI).sqrt() * (z + 0.044715 * z.powi(3));
            // 1/2 (1 + tanh a) without what cancels
            1.0 / (1.0 + (-2.0 * a).exp())
        }
        Gated::Silu => 1.0 / (1.0 + (-z).exp()),
    }
}

fn expected(activation: Gated, part: Part, z: f64) -> f64 {
    match part {
        Part::Quotient => quotient(activation, z),
        Part::Value => z * quotient(activation, z),
        Part::Slope => {
            let h = 1e-4;
            let value = |z| expected(activation, Part::Value, z);
            (8.0 * (value(z + h) - value(z - h)) - (value(z + 2.0 * h) - value(z - 2.0 * h)))
                / (12.0 * h)
        }
    }
}

const ALL: [Gated; 3] = [Gated::Gelu, Gated::GeluTanh, Gated::Silu];
const PARTS: [Part; 3] = [Part::Value, Part::Quotient, Part::Slope];

#[test]
fn every_part_is_right_to_1e_6() {
    // More than one piece of work, and not a multiple of any vector.
    let z: Vec<f32> = (0..20_003)
        .map(|index| (index as f32 - 10_001.0) * 1.2e-3)
        .collect();
    for activation in ALL {
        for part in PARTS {
            let found = found(activation, part, &z);
            assert_eq!(found.len(), z.len());
            // One in 7: the integral is slow.
            for (z, found) in z.iter().zip(found).step_by(7) {
                let expected = expected(activation, part, f64::from(*z));
                let apart = (f64::from(found) - expected).abs() / expected.abs().max(1.0);
                assert!(
                    apart < 1e-6,
                    "{activation:?} {part:?} of {z}: {found}, not {expected}"
                );
            }
        }
    }
}

#[test]
fn the_tail_of_the_normal_distribution_has_its_digits() {
    let z = [-12.0_f32, -9.0, -5.0, -3.0, -1.0];
    for (z, found) in z.iter().zip(Gated::Gelu.of(Known::Quotient, &z)) {
        let expected = phi(f64::from(*z));
        assert!(
            (f64::from(found) / expected - 1.0).abs() < 2e-5,
            "{z}: {found}, not {expected}"
        );
    }
}

#[test]
fn large_numbers_and_what_is_no_number() {
    let z = [-1e30_f32, -200.0, 200.0, 1e30, f32::NAN];
    for activation in ALL {
        let value = activation.of(Known::Value, &z);
        assert!(value[1].abs() < 1e-30, "{activation:?}: {}", value[1]);
        assert_eq!(value[2..4], [200.0, 1e30], "{activation:?}");
        for part in PARTS {
            let found = found(activation, part, &z);
            assert!(found[4].is_nan(), "{activation:?} {part:?}");
            assert!(
                found[1..3].iter().all(|y| y.is_finite()),
                "{activation:?} {part:?}"
            );
        }
    }
}

#[test]
fn nothing_of_nothing() {
    assert!(Gated::Gelu.of(Known::Value, &[]).is_empty());
}
