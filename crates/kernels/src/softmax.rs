//! The softmax of attention, one query's row of keys at a time.

#![expect(
    clippy::extra_unused_type_parameters,
    reason = "`with_simd` wants the instructions as a type, which plain arithmetic does not mention"
)]

use macerator::{Simd, with_simd};
use rayon::prelude::*;

use crate::parallel::together;
use crate::scalar::{LEAST, exp};
use crate::sum::{largest, product, sum};

/// The score of a hidden key: so low that its exponential is exactly zero, but finite, so that a row in which
/// every key is hidden gets equal weights and not NaN.
const LOWEST: f32 = f32::MIN;

/// Replaces the scores q by p_i = exp(q_i) / sum_i' exp(q_i'), in every row of `keys` numbers.
///
/// `hidden` gets the index of a row and gives a mark for each of its keys; an empty slice hides none. A key
/// whose mark is not 0 gets a weight of exactly zero. A score that is NaN makes its whole row NaN.
///
/// ```
/// let mut rows = [0.0, 0.0, 3.0, 1.0, 1.0, 1.0];
/// relprop_kernels::softmax(&mut rows, 3, |row| if row == 0 { &[0, 0, 1] } else { &[] });
/// assert_eq!(rows[..3], [0.5, 0.5, 0.0]);
/// ```
///
/// # Panics
///
/// If `scores` does not consist of whole rows.
pub fn softmax<'h>(
    scores: &mut [f32],
    keys: usize,
    hidden: impl Fn(usize) -> &'h [u8] + Copy + Send + Sync,
) {
    assert!(scores.len().is_multiple_of(keys), "a row is cut");
    let together = together(keys);
    scores
        .par_chunks_mut(together * keys)
        .enumerate()
        .for_each(|(piece, rows)| weigh(rows, keys, |row| hidden(piece * together + row)));
}

/// Replaces `gradient`, the gradient of the `weights`, by the gradient of the scores, in rows of
/// `keys` numbers: p_i (g_i - sum_i' p_i' g_i').
///
/// # Panics
///
/// If the two differ in length.
pub fn softmax_backward(weights: &[f32], gradient: &mut [f32], keys: usize) {
    assert_eq!(weights.len(), gradient.len(), "another shape");
    let numbers = together(keys) * keys;
    gradient
        .par_chunks_mut(numbers)
        .zip(weights.par_chunks(numbers))
        .for_each(|(gradient, weights)| pull(gradient, weights, keys));
}

#[with_simd]
fn weigh<'h, S: Simd, F: Fn(usize) -> &'h [u8]>(rows: &mut [f32], keys: usize, hidden: F) {
    for (index, row) in rows.chunks_exact_mut(keys).enumerate() {
        for (score, hidden) in row.iter_mut().zip(hidden(index)) {
            *score = if *hidden == 0 { *score } else { LOWEST };
        }
        let most = largest(row);
        for score in row.iter_mut() {
            let below = *score - most;
            *score = if below < LEAST { 0.0 } else { exp(below) };
        }
        let share = sum(row, |weight| weight).recip();
        row.iter_mut().for_each(|weight| *weight *= share);
    }
}

#[with_simd]
fn pull<S: Simd>(gradient: &mut [f32], weights: &[f32], keys: usize) {
    let flows = gradient
        .chunks_exact_mut(keys)
        .zip(weights.chunks_exact(keys));
    for (gradient, weights) in flows {
        let mean = product(gradient, weights, 0.0);
        for (gradient, weight) in gradient.iter_mut().zip(weights) {
            *gradient = weight * (*gradient - mean);
        }
    }
}
