//! A linear map of many rows: one matrix product.

use faer::{Accum, MatRef};

use crate::matmul::product;
use crate::parallel::{BLOCK, blocks, zeros};

/// z_j = sum_i x_i W_ij + b_j for every row x, with the weights W `[input, output]` row by row in
/// memory.
///
/// ```
/// let z = relprop_kernels::linear(&[1.0, 2.0], &[1.0, 0.0, 3.0, 0.5], &[0.0, 1.0]);
/// assert_eq!(z, [7.0, 2.0]);
/// ```
///
/// # Panics
///
/// If `x` does not consist of whole rows, or `weight` does not have one row for each input.
pub fn linear(x: &[f32], weight: &[f32], bias: &[f32]) -> Vec<f32> {
    let output = bias.len();
    let input = weight.len() / output;
    let count = rows_of(x, input);
    // The product is added to rows that hold the bias, so that the bias needs no pass of its own.
    let rows_of_bias = bias.repeat(1 + BLOCK.div_ceil(output));
    let mut z = blocks(count * output, |start| {
        let block = rows_of_bias[start % output..].first_chunk();
        *block.expect("a block more than a row")
    });
    let x = MatRef::from_row_major_slice(x, count, input);
    let weight = MatRef::from_row_major_slice(weight, input, output);
    product(&mut z, 0..output, Accum::Add, x, weight);
    z
}

/// The gradient of x from the `gradient` g of z, whose rows have `output` numbers: sum_j W_ij g_j.
///
/// # Panics
///
/// If `gradient` does not consist of whole rows, or `weight` does not have one row for each input.
pub fn linear_backward(gradient: &[f32], weight: &[f32], output: usize) -> Vec<f32> {
    let input = weight.len() / output;
    let count = rows_of(gradient, output);
    let mut x = zeros(count * input);
    let gradient = MatRef::from_row_major_slice(gradient, count, output);
    let weight = MatRef::from_row_major_slice(weight, input, output);
    product(
        &mut x,
        0..input,
        Accum::Replace,
        gradient,
        weight.transpose(),
    );
    x
}

/// How many rows of this many numbers there are.
pub(crate) fn rows_of(x: &[f32], numbers: usize) -> usize {
    assert!(x.len().is_multiple_of(numbers), "a row is cut");
    x.len() / numbers
}
