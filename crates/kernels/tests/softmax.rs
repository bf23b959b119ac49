//! The softmax against its definition in f64, and its gradient against differences.

use relprop_kernels::{softmax, softmax_backward};

/// Numbers from -`size` to `size`, the same in every run.
fn numbers(count: usize, seed: f64, size: f64) -> Vec<f32> {
    (0..count)
        .map(|index| ((index as f64 * 12.9898 + seed).sin() * 43_758.545).fract() * size)
        .map(|x| x as f32)
        .collect()
}

fn expected(scores: &[f64], hidden: &[u8]) -> Vec<f64> {
    let seen = |index: usize| hidden.is_empty() || hidden[index] == 0;
    let mut most = f64::NEG_INFINITY;
    for (index, score) in scores.iter().enumerate() {
        if seen(index) {
            most = most.max(*score);
        }
    }
    let mut weights = vec![0.0; scores.len()];
    let mut sum = 0.0;
    for (index, score) in scores.iter().enumerate() {
        if seen(index) {
            weights[index] = (score - most).exp();
            sum += weights[index];
        }
    }
    weights.iter().map(|weight| weight / sum).collect()
}

fn wide(x: &[f32]) -> Vec<f64> {
    x.iter().map(|x| f64::from(*x)).collect()
}

/// Rows shorter and longer than a register, and more of them than one piece of work holds.
const SHAPES: [(usize, usize); 6] = [(1, 1), (3, 5), (2, 32), (7, 33), (300, 48), (3, 9000)];

#[test]
fn weights_and_gradients_are_those_of_plain_loops() {
    for (rows, keys) in SHAPES {
        for size in [1.0, 30.0, 400.0] {
            let scores = numbers(rows * keys, 1.0, size);
            let g = numbers(rows * keys, 2.0, 1.0);
            // Every third row sees all keys, the others not all.
            let marks: Vec<u8> = (0..rows * keys)
                .map(|i| u8::from(i % keys % 4 == 3))
                .collect();
            let hidden = |row: usize| match row % 3 {
                0 => &[],
                _ => &marks[row * keys..(row + 1) * keys],
            };
            let mut weights = scores.clone();
            softmax(&mut weights, keys, hidden);
            let mut back = g.clone();
            softmax_backward(&weights, &mut back, keys);
            for row in 0..rows {
                let of = |x: &[f32]| wide(&x[row * keys..(row + 1) * keys]);
                let twin = expected(&of(&scores), hidden(row));
                for (index, (found, twin)) in of(&weights).iter().zip(&twin).enumerate() {
                    assert!(
                        (found - twin).abs() < 2e-6 * twin.max(0.01),
                        "{index}: {found}, not {twin}"
                    );
                    if hidden(row).get(index) == Some(&1) {
                        assert_eq!(*found, 0.0);
                    }
                }
                // The cost of differences is the square of a row.
                if keys > 1000 || row > 3 {
                    continue;
                }
                for key in 0..keys {
                    let moved = |by: f64| {
                        let mut scores = of(&scores);
                        scores[key] += by;
                        let weights = expected(&scores, hidden(row));
                        let mut sum = 0.0;
                        for (weight, g) in weights.iter().zip(of(&g)) {
                            sum += weight * g;
                        }
                        sum
                    };
                    let slope = (moved(1e-5) - moved(-1e-5)) / 2e-5;
                    let found = f64::from(back[row * keys + key]);
                    assert!((found - slope).abs() < 1e-6, "{key}: {found}, not {slope}");
                }
            }
        }
    }
}

#[test]
fn a_row_of_hidden_keys_gives_numbers() {
    let mut weights = [5.0, -3.0];
    softmax(&mut weights, 2, |_| &[1, 1]);
    assert_eq!(weights, [0.5, 0.5]);
}

#[test]
fn what_is_not_a_number_stays_in_its_row() {
    let mut weights = [1.0, f32::NAN, 1.0, 1.0];
    softmax(&mut weights, 2, |_| &[]);
    assert!(weights[..2].iter().all(|weight| weight.is_nan()));
    assert_eq!(weights[2..], [0.5, 0.5]);
}
