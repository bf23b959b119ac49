//! Products with weights of 16 bits, which become f32 block by block.

#![expect(
    clippy::extra_unused_type_parameters,
    reason = "`with_simd` wants the instructions as a type, which plain arithmetic does not mention"
)]

use faer::{Accum, MatRef};
use half::{bf16, f16};
use macerator::{Simd, with_simd};
use rayon::prelude::*;

use crate::linear::rows_of;
use crate::matmul::product;
use crate::parallel::zeros;

/// How many weights are f32 at a time: 4 MiB of them.
const WIDE: usize = 1 << 20;

/// How many weights one core makes f32 at a time.
const PIECE: usize = 1 << 14;

/// A float of 16 bits.
pub trait Narrow: Copy + Send + Sync {
    /// The same number in f32, which has them all.
    fn widen(self) -> f32;
}

impl Narrow for f16 {
    fn widen(self) -> f32 {
        // The digits and the exponent where f32 has them. The exponent of f32 is larger by 112, which a factor adds, to
        // numbers without a leading 1 as well.
        let bits = u32::from(self.to_bits());
        let size = f32::from_bits((bits & 0x7fff) << 13) * f32::from_bits((127 + 112) << 23);
        let is_finite = bits & 0x7c00 != 0x7c00;
        let size = if is_finite {
            size.to_bits()
        } else {
            size.to_bits() | 0x7f80_0000
        };
        f32::from_bits(size | (bits & 0x8000) << 16)
    }
}

impl Narrow for bf16 {
    fn widen(self) -> f32 {
        f32::from_bits(u32::from(self.to_bits()) << 16)
    }
}

/// It is compiled once for each set of vector instructions, and runs with the best that the processor has.
#[with_simd]
fn widen<S: Simd, W: Narrow>(narrow: &[W], wide: &mut [f32]) {
    for (narrow, wide) in narrow.iter().zip(wide) {
        *wide = narrow.widen();
    }
}

/// z_j = sum_i x_i W_ij + b_j for every row x, with the weights W `[input, output]` row by row in memory: as
/// [`linear`](crate::linear), but of 16 bits.
///
/// ```
/// use half::f16;
///
/// let weight = [1.0, 0.0, 3.0, 0.5].map(f16::from_f32);
/// let z = relprop_kernels::narrow_linear(&[1.0, 2.0], &weight, &[0.0, 1.0]);
/// assert_eq!(z, [7.0, 2.0]);
/// ```
///
/// # Panics
///
/// If `x` does not consist of whole rows, or `weight` does not have one row for each input.
pub fn narrow_linear<W: Narrow>(x: &[f32], weight: &[W], bias: &[f32]) -> Vec<f32> {
    let output = bias.len();
    let input = weight.len() / output;
    let count = rows_of(x, input);
    let mut z = bias.repeat(count);
    let mut from = 0;
    in_blocks(weight, output, |block| {
        let inputs = block.len() / output;
        let x = MatRef::from_row_major_slice(x, count, input).subcols(from, inputs);
        let block = MatRef::from_row_major_slice(block, inputs, output);
        product(&mut z, 0..output, Accum::Add, x, block);
        from += inputs;
    });
    z
}

/// The gradient of x from the `gradient` g of z, whose rows have `output` numbers: sum_j W_ij g_j.
///
/// # Panics
///
/// If `gradient` does not consist of whole rows, or `weight` does not have one row for each input.
pub fn narrow_linear_backward<W: Narrow>(
    gradient: &[f32],
    weight: &[W],
    output: usize,
) -> Vec<f32> {
    let input = weight.len() / output;
    let count = rows_of(gradient, output);
    let mut x = zeros(count * input);
    let mut from = 0;
    in_blocks(weight, output, |block| {
        let inputs = block.len() / output;
        let gradient = MatRef::from_row_major_slice(gradient, count, output);
        let block = MatRef::from_row_major_slice(block, inputs, output);
        let columns = from..from + inputs;
        product(&mut x, columns, Accum::Replace, gradient, block.transpose());
        from += inputs;
    });
    x
}

/// Gives the weights to `with` in f32, some whole rows of `output` numbers after others.
fn in_blocks<W: Narrow>(weight: &[W], output: usize, mut with: impl FnMut(&[f32])) {
    let block = (WIDE / output).max(1) * output;
    let mut wide = zeros(block.min(weight.len()));
    for narrow in weight.chunks(block) {
        let wide = &mut wide[..narrow.len()];
        let pieces = narrow.par_chunks(PIECE).zip(wide.par_chunks_mut(PIECE));
        pieces.for_each(|(narrow, wide)| widen(narrow, wide));
        with(wide);
    }
}
