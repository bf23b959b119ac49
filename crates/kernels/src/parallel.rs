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

/// So many numbers are computed beside the memory that they go to.
const BLOCK: usize = 256;

/// How many rows of `features` numbers are one piece of work.
pub(crate) fn together(features: usize) -> usize {
    (PIECE / features).max(1)
}

/// So many numbers, written a block at a time: `fill` gets where a block starts, and zeros.
///
/// A vector of zeros is cleared by one core before another can write to it, which for an activation takes as
/// long as the activation. Here the core that computes a block is the first to touch its memory.
pub(crate) fn blocks(
    numbers: usize,
    fill: impl Fn(usize, &mut [f32; BLOCK]) + Send + Sync,
) -> Vec<f32> {
    let blocks: Vec<[f32; BLOCK]> = (0..numbers.div_ceil(BLOCK))
        .into_par_iter()
        .with_min_len(PIECE / BLOCK)
        .map(|index| {
            let mut block = [0.0; BLOCK];
            fill(index * BLOCK, &mut block);
            block
        })
        .collect();
    whole(blocks, numbers)
}

/// So many zeros.
pub(crate) fn zeros(numbers: usize) -> Vec<f32> {
    blocks(numbers, |_, _| ())
}

fn whole(blocks: Vec<[f32; BLOCK]>, numbers: usize) -> Vec<f32> {
    let mut all = blocks.into_flattened();
    all.truncate(numbers);
    all
}

/// `f` of every number.
pub(crate) fn map(z: &[f32], f: impl Fn(f32) -> f32 + Copy + Send + Sync) -> Vec<f32> {
    blocks(z.len(), |start, y| fill(y, &z[start..], f))
}

/// Both results of `f` of every number.
pub(crate) fn map_to_two(
    z: &[f32],
    f: impl Fn(f32) -> (f32, f32) + Copy + Send + Sync,
) -> (Vec<f32>, Vec<f32>) {
    let (mut a, mut b) = (Vec::new(), Vec::new());
    z.par_chunks(BLOCK)
        .with_min_len(PIECE / BLOCK)
        .map(|z| {
            let (mut a, mut b) = ([0.0; BLOCK], [0.0; BLOCK]);
            fill_two(&mut a, &mut b, z, f);
            (a, b)
        })
        .unzip_into_vecs(&mut a, &mut b);
    (whole(a, z.len()), whole(b, z.len()))
}

/// Every number times its own factor.
///
/// ```
/// assert_eq!(relprop_kernels::multiply(&[1.0, 2.0], &[0.5, 3.0]), [0.5, 6.0]);
/// ```
///
/// # Panics
///
/// If there is not one factor for each number.
pub fn multiply(x: &[f32], factors: &[f32]) -> Vec<f32> {
    assert_eq!(x.len(), factors.len(), "another shape");
    blocks(x.len(), |start, y| {
        let terms = x[start..].iter().zip(&factors[start..]);
        for (y, (x, factor)) in y.iter_mut().zip(terms) {
            *y = x * factor;
        }
    })
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
