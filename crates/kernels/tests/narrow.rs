//! Linear maps with weights of 16 bits against those with the same weights in f32.

mod common;

use common::numbers;
use half::{bf16, f16};
use relprop_kernels::{Narrow, linear, linear_backward, narrow_linear, narrow_linear_backward};

/// Rows, inputs and outputs: the last ones have more weights than become f32 at a time.
const SHAPES: [(usize, usize, usize); 6] = [
    (1, 1, 1),
    (1, 64, 2),
    (3, 5, 7),
    (70, 384, 96),
    (3, 1100, 1000),
    (2, 3, 400_000),
];

fn agree<W: Narrow + Into<f32>>(narrow: impl Fn(f32) -> W) {
    for (rows, input, output) in SHAPES {
        let place = format!("{rows} x {input} x {output}");
        let close = |found: &[f32], expected: &[f32], terms: usize| {
            assert_eq!(found.len(), expected.len(), "{place}");
            for (found, expected) in found.iter().zip(expected) {
                // Sums of numbers up to 1, in another order.
                let room = 1e-6 * (terms as f32).sqrt().max(1.0);
                assert!(
                    (found - expected).abs() <= room * (terms as f32).sqrt(),
                    "{place}: {found}, not {expected}"
                );
            }
        };
        let weight: Vec<W> = numbers(input * output, 2.0)
            .into_iter()
            .map(&narrow)
            .collect();
        let wide: Vec<f32> = weight.iter().map(|w| (*w).into()).collect();
        let (x, bias) = (numbers(rows * input, 1.0), numbers(output, 3.0));
        let z = narrow_linear(&x, &weight, &bias);
        close(&z, &linear(&x, &wide, &bias), input);
        let gradient = numbers(rows * output, 4.0);
        let back = narrow_linear_backward(&gradient, &weight, output);
        close(&back, &linear_backward(&gradient, &wide, output), output);

        // A row is the same to the last bit, alone or among others.
        let alone = narrow_linear(&x[..input], &weight, &bias);
        assert_eq!(alone, z[..output], "{place}");
        let alone = narrow_linear_backward(&gradient[..output], &weight, output);
        assert_eq!(alone, back[..input], "{place}");
    }
}

#[test]
fn weights_in_f16_are_multiplied_as_they_are() {
    agree(f16::from_f32);
}

#[test]
fn weights_in_bf16_are_multiplied_as_they_are() {
    agree(bf16::from_f32);
}

#[test]
fn every_number_keeps_its_value() {
    for bits in 0..=u16::MAX {
        let (half, brain) = (f16::from_bits(bits), bf16::from_bits(bits));
        for (found, expected) in [
            (half.widen(), half.to_f32()),
            (brain.widen(), brain.to_f32()),
        ] {
            let alike = found.to_bits() == expected.to_bits();
            assert!(
                alike || found.is_nan() && expected.is_nan(),
                "{bits:x}: {found}"
            );
        }
    }
}
