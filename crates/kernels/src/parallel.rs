//! One function over many numbers, on all cores.

#![expect(
    clippy::extra_unused_type_parameters,
    reason = "`with_simd` wants the instructions as a type, which plain arithmetic does not mention"
)]

use macerator::{Simd, with_simd};
use rayon::prelude::*;

/// So many numbers are one piece of work: enough to be worth handing to another core, few enough for the
/// nearest cache.
const PIECE: usize = 8192;

/// How many rows of `features` numbers are one piece of work.
pub(crate) fn together(features: usize) -> usize {
    (PIECE / features).max(1)
}

/// `f` of every number.
pub(crate) fn map(z: &[f32], f: impl Fn(f32) -> f32 + Copy + Send + Sync) -> Vec<f32> {
    let mut y = vec![0.0; z.len()];
    y.par_chunks_mut(PIECE)
        .zip(z.par_chunks(PIECE))
        .for_each(|(y, z)| fill(y, z, f));
    y
}

/// Both results of `f` of every number.
pub(crate) fn map_to_two(
    z: &[f32],
    f: impl Fn(f32) -> (f32, f32) + Copy + Send + Sync,
) -> (Vec<f32>, Vec<f32>) {
    let [mut a, mut b] = [(); 2].map(|()| vec![0.0; z.len()]);
    a.par_chunks_mut(PIECE)
        .zip(b.par_chunks_mut(PIECE))
        .zip(z.par_chunks(PIECE))
        .for_each(|((a, b), z)| fill_two(a, b, z, f));
    (a, b)
}

/// Multiplies every number by `factor`.
///
/// ```
/// let mut x = [1.0, 2.0];
/// relprop_kernels::scale(&mut x, 0.5);
/// assert_eq!(x, [0.5, 1.0]);
/// ```
pub fn scale(x: &mut [f32], factor: f32) {
    x.par_chunks_mut(PIECE)
        .for_each(|x| x.iter_mut().for_each(|x| *x *= factor));
}

/// Compiled once for each set of vector instructions; the one that the processor has is taken.
#[with_simd]
fn fill<S: Simd, F: Fn(f32) -> f32>(y: &mut [f32], z: &[f32], f: F) {
    for (y, z) in y.iter_mut().zip(z) {
        *y = f(*z);
    }
}

#[with_simd]
fn fill_two<S: Simd, F: Fn(f32) -> (f32, f32)>(a: &mut [f32], b: &mut [f32], z: &[f32], f: F) {
    for ((a, b), z) in a.iter_mut().zip(b).zip(z) {
        (*a, *b) = f(*z);
    }
}
