//! One function over many numbers, on all cores.

#![expect(
    clippy::extra_unused_type_parameters,
    reason = "`with_simd` wants the instructions as a type, which plain arithmetic does not mention"
)]

use macerator::{Simd, with_simd};
use rayon::prelude::*;

/// How many numbers make one piece of work: enough to be worth the cost of another core, few enough
/// to stay in the first-level cache.
const PIECE: usize = 8192;

/// How many numbers are computed on the stack before they are written to memory.
pub(crate) const BLOCK: usize = 256;

/// How many rows of `features` numbers are one piece of work.
pub(crate) fn together(features: usize) -> usize {
    (PIECE / features).max(1)
}

/// A vector of `numbers` numbers, made a block at a time; `make` gets the index at which its block starts.
///
/// One core would clear a vector of zeros before the others can write to it. For an activation that
/// takes as long as the activation itself. Here the core that computes a block is the first to
/// write to its memory.
pub(crate) fn blocks(
    numbers: usize,
    make: impl Fn(usize) -> [f32; BLOCK] + Send + Sync,
) -> Vec<f32> {
    let blocks: Vec<[f32; BLOCK]> = (0..numbers.div_ceil(BLOCK))
        .into_par_iter()
        .with_min_len(PIECE / BLOCK)
        .map(|index| make(index * BLOCK))
        .collect();
    whole(blocks, numbers)
}

/// A vector of `numbers` zeros, each block of them written by the core that makes it.
pub(crate) fn zeros(numbers: usize) -> Vec<f32> {
    blocks(numbers, |_| [0.0; BLOCK])
}

fn whole(blocks: Vec<[f32; BLOCK]>, numbers: usize) -> Vec<f32> {
    let mut all = blocks.into_flattened();
    all.truncate(numbers);
    all
}

/// Applies `f` to every number.
pub(crate) fn map(z: &[f32], f: impl Fn(f32) -> f32 + Copy + Send + Sync) -> Vec<f32> {
    blocks(z.len(), |start| {
        let mut y = [0.0; BLOCK];
        let z = &z[start..z.len().min(start + BLOCK)];
        y[..z.len()].copy_from_slice(z);
        each(&mut y, f);
        y
    })
}

/// Applies `f` to every number, in place.
pub(crate) fn change(z: &mut [f32], f: impl Fn(f32) -> f32 + Copy + Send + Sync) {
    z.par_chunks_mut(PIECE).for_each(|z| each(z, f));
}

/// Replaces every number by the first result of `f`, and returns the second results.
pub(crate) fn change_and_map(
    z: &mut [f32],
    f: impl Fn(f32) -> (f32, f32) + Copy + Send + Sync,
) -> Vec<f32> {
    let numbers = z.len();
    let blocks = z
        .par_chunks_mut(BLOCK)
        .with_min_len(PIECE / BLOCK)
        .map(|z| {
            let mut second = [0.0; BLOCK];
            both(z, &mut second, f);
            second
        })
        .collect();
    whole(blocks, numbers)
}

/// Multiplies every number by its own factor.
///
/// ```
/// let mut x = [1.0, 2.0];
/// relprop_kernels::multiply(&mut x, &[0.5, 3.0]);
/// assert_eq!(x, [0.5, 6.0]);
/// ```
///
/// # Panics
///
/// If there is not one factor for each number.
pub fn multiply(x: &mut [f32], factors: &[f32]) {
    assert_eq!(x.len(), factors.len(), "another shape");
    x.par_chunks_mut(PIECE)
        .zip(factors.par_chunks(PIECE))
        .for_each(|(x, factors)| {
            for (x, factor) in x.iter_mut().zip(factors) {
                *x *= factor;
            }
        });
}

/// It is compiled once for each set of vector instructions, and runs with the best that the processor has.
#[with_simd]
fn each<S: Simd, F: Fn(f32) -> f32>(z: &mut [f32], f: F) {
    for z in z {
        *z = f(*z);
    }
}

#[with_simd]
fn both<S: Simd, F: Fn(f32) -> (f32, f32)>(z: &mut [f32], second: &mut [f32], f: F) {
    for (z, second) in z.iter_mut().zip(second) {
        (*z, *second) = f(*z);
    }
}
