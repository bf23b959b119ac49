//! Linear maps, and what flows back through them, against plain loops in f64.

mod common;

use common::numbers;
use relprop_kernels::{linear, linear_backward, multiply};

/// Rows, inputs and outputs: of one number, not whole registers, and more than one piece of work holds.
const SHAPES: [(usize, usize, usize); 9] = [
    (1, 1, 1),
    (1, 64, 2),
    (3, 5, 7),
    (2, 300, 1),
    (33, 31, 257),
    (70, 384, 96),
    (129, 96, 384),
    (500, 17, 65),
    (513, 20, 100),
];

/// To 1e-6 of the sum of the sizes of what was added up.
fn assert_near(found: f32, terms: impl Iterator<Item = f64>, place: &str) {
    let (mut sum, mut size) = (0.0, 0.0);
    for term in terms {
        sum += term;
        size += term.abs();
    }
    let error = (f64::from(found) - sum).abs();
    assert!(error <= 1e-6 * size, "{place}: {found}, not {sum}");
}

#[test]
fn values_are_those_of_plain_loops() {
    for (rows, input, output) in SHAPES {
        let x = numbers(rows * input, 1.0);
        let weight = numbers(input * output, 2.0);
        let bias = numbers(output, 3.0);
        let z = linear(&x, &weight, &bias);
        assert_eq!(z.len(), rows * output);
        for row in 0..rows {
            for j in 0..output {
                let terms = (0..input)
                    .map(|i| f64::from(x[row * input + i]) * f64::from(weight[i * output + j]));
                let place = format!("{rows} x {input} x {output}, row {row}, output {j}");
                let terms = terms.chain([f64::from(bias[j])]);
                assert_near(z[row * output + j], terms, &place);
            }
        }
    }
}

#[test]
fn gradients_are_those_of_plain_loops() {
    for (rows, input, output) in SHAPES {
        let gradient = numbers(rows * output, 4.0);
        let weight = numbers(input * output, 2.0);
        let back = linear_backward(&gradient, &weight, output);
        assert_eq!(back.len(), rows * input);
        for row in 0..rows {
            for i in 0..input {
                let terms = (0..output).map(|j| {
                    f64::from(gradient[row * output + j]) * f64::from(weight[i * output + j])
                });
                let place = format!("{rows} x {input} x {output}, row {row}, input {i}");
                assert_near(back[row * input + i], terms, &place);
            }
        }
    }
}

/// A row is the same to the last bit, alone or among others.
#[test]
fn a_row_is_independent_of_the_others() {
    for (input, output) in [(8, 8), (16, 64), (64, 128), (1536, 96), (300, 40)] {
        let x = numbers(600 * input, 1.0);
        let weight = numbers(input * output, 2.0);
        let bias = numbers(output, 3.0);
        let z = linear(&x, &weight, &bias);
        let back = linear_backward(&z, &weight, output);
        for rows in [1, 2, 3, 17, 69, 512, 513] {
            let found = linear(&x[..rows * input], &weight, &bias);
            assert_eq!(found, z[..rows * output], "{rows} x {input} x {output}");
            let found = linear_backward(&found, &weight, output);
            assert_eq!(found, back[..rows * input], "{rows} x {output} x {input}");
        }
    }
}

#[test]
fn products_number_by_number_are_exact_at_any_length() {
    for length in [0, 1, 255, 256, 257, 9001] {
        let (x, factors) = (numbers(length, 1.0), numbers(length, 2.0));
        let mut found = x.clone();
        multiply(&mut found, &factors);
        for index in 0..length {
            assert_eq!(found[index], x[index] * factors[index], "{index}");
        }
    }
}

#[test]
fn what_is_not_a_number_stays_in_its_row() {
    let x = [1.0, f32::NAN, 2.0, 3.0];
    let z = linear(&x, &[1.0, 1.0], &[0.5]);
    assert!(z[0].is_nan());
    assert_eq!(z[1], 5.5);
}

#[test]
#[should_panic(expected = "a row is cut")]
fn a_cut_row_is_refused() {
    linear(&[1.0; 5], &[1.0; 4], &[0.0; 2]);
}
