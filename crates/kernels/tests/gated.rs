//! Every part of every activation against its definition in f64, computed by numerical integration and
//! the standard library's exponential, which share nothing with the kernels.

use relprop_kernels::Gated;

/// What there is to check.
#[derive(Clone, Copy, Debug)]
enum Part {
    Value,
    Quotient,
    /// The value and the slope come together, and the value must be that which comes alone.
    Slope,
}

fn found(activation: Gated, part: Part, z: &[f32]) -> Vec<f32> {
    let mut value = z.to_vec();
    match part {
        Part::Quotient => activation.quotient(z),
        Part::Value => {
            activation.value(&mut value);
            value
        }
        Part::Slope => {
            let slope = activation.value_and_slope(&mut value);
            // Which bits a NaN has depends on the processor.
            let bit = |y: f32| (!y.is_nan()).then_some(y.to_bits());
            let bits = |y: Vec<f32>| y.into_iter().map(bit).collect::<Vec<_>>();
            assert_eq!(bits(value), bits(found(activation, Part::Value, z)));
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
        Gated::QuickGelu => 1.0 / (1.0 + (-1.702 * z).exp()),
        Gated::Tanh if z == 0.0 => 1.0,
        Gated::Tanh => z.tanh() / z,
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

const ALL: [Gated; 5] = [
    Gated::Gelu,
    Gated::GeluTanh,
    Gated::Silu,
    Gated::QuickGelu,
    Gated::Tanh,
];
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
    for (z, found) in z.iter().zip(Gated::Gelu.quotient(&z)) {
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
        let value = found(activation, Part::Value, &z);
        let (low, high) = match activation {
            Gated::Tanh => (-1.0, [1.0, 1.0]),
            _ => (0.0, [200.0, 1e30]),
        };
        assert!(
            (value[1] - low).abs() < 1e-30,
            "{activation:?}: {}",
            value[1]
        );
        assert_eq!(value[2..4], high, "{activation:?}");
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
    assert!(Gated::Gelu.quotient(&[]).is_empty());
    assert!(Gated::Gelu.value_and_slope(&mut []).is_empty());
}

/// Near 0, where 1 - e^-2z would have few digits, as further out.
#[test]
fn the_hyperbolic_tangent_has_its_digits() {
    let z: Vec<f32> = (1..400).map(|i| 1e-6 * 1.05_f32.powi(i)).collect();
    for (z, found) in z.iter().zip(found(Gated::Tanh, Part::Value, &z)) {
        let expected = f64::from(*z).tanh();
        assert!(
            (f64::from(found) / expected - 1.0).abs() < 3e-7,
            "{z}: {found}, not {expected}"
        );
    }
}
