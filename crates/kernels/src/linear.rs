//! A linear map of many rows: one matrix product.

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};

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
    assert!(x.len().is_multiple_of(input), "a row is cut");
    // The product is added to rows that hold the bias, so that the bias needs no pass of its own.
    let rows_of_bias = bias.repeat(1 + BLOCK.div_ceil(output));
    let start = blocks(x.len() / input * output, |start| {
        let block = rows_of_bias[start % output..].first_chunk();
        *block.expect("a block more than a row")
    });
    let weight = MatRef::from_row_major_slice(weight, input, output);
    product(start, Accum::Add, x, weight)
}

/// The gradient of x from the `gradient` g of z, whose rows have `output` numbers: sum_j W_ij g_j.
///
/// # Panics
///
/// If `gradient` does not consist of whole rows, or `weight` does not have one row for each input.
pub fn linear_backward(gradient: &[f32], weight: &[f32], output: usize) -> Vec<f32> {
    let input = weight.len() / output;
    assert!(gradient.len().is_multiple_of(output), "a row is cut");
    let start = zeros(gradient.len() / output * input);
    let weight = MatRef::from_row_major_slice(weight, input, output);
    product(start, Accum::Replace, gradient, weight.transpose())
}

#[cfg(not(target_arch = "wasm32"))]
fn all_cores() -> Par {
    Par::rayon(0)
}

/// One core, because a browser gives a program one thread.
#[cfg(target_arch = "wasm32")]
fn all_cores() -> Par {
    Par::Seq
}

/// The product of rows and a matrix, which is added to `y` or replaces it.
fn product(mut y: Vec<f32>, accum: Accum, rows: &[f32], matrix: MatRef<'_, f32>) -> Vec<f32> {
    let count = rows.len() / matrix.nrows();
    if count == 1 {
        // faer sums a one-row product in another order than a product of several rows. The row is
        // duplicated, so that a text rounds the same alone and in a batch.
        let mut y = product(y.repeat(2), accum, &rows.repeat(2), matrix);
        y.truncate(matrix.ncols());
        return y;
    }
    matmul(
        MatMut::from_row_major_slice_mut(&mut y, count, matrix.ncols()),
        accum,
        MatRef::from_row_major_slice(rows, count, matrix.nrows()),
        matrix,
        1.0,
        all_cores(),
    );
    y
}
