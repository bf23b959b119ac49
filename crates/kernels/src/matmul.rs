//! The product of two matrices, on all cores.

use std::ops::Range;

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};

/// The product of rows and a matrix, which is added to these `columns` of `y` or replaces them.
pub(crate) fn product(
    y: &mut [f32],
    columns: Range<usize>,
    accum: Accum,
    rows: MatRef<'_, f32>,
    matrix: MatRef<'_, f32>,
) {
    let count = rows.nrows();
    if count == 1 {
        // faer sums a one-row product in another order than a product of several rows. The row is
        // duplicated, so that a text rounds the same alone and in a batch.
        let row = Vec::from_iter((0..rows.ncols()).map(|column| rows[(0, column)]));
        let twice = row.repeat(2);
        let rows = MatRef::from_row_major_slice(&twice, 2, row.len());
        let y = &mut y[columns];
        let mut both = y.repeat(2);
        let all = 0..y.len();
        product(&mut both, all, accum, rows, matrix);
        y.copy_from_slice(&both[..y.len()]);
        return;
    }
    let width = y.len() / count;
    let y = MatMut::from_row_major_slice_mut(y, count, width);
    let y = y.subcols_mut(columns.start, columns.len());
    on_all_cores(y, accum, rows, matrix);
}

/// One core, because a browser gives a program one thread.
#[cfg(target_arch = "wasm32")]
fn on_all_cores(y: MatMut<'_, f32>, accum: Accum, rows: MatRef<'_, f32>, matrix: MatRef<'_, f32>) {
    matmul(y, accum, rows, matrix, 1.0, Par::Seq);
}

/// faer's threads wait for one another after each slice of the inner axis. With few rows that takes a tenth of the time
/// where other programs use the cores too. So there each core computes columns by itself, and takes the next when it is done.
#[cfg(not(target_arch = "wasm32"))]
fn on_all_cores(y: MatMut<'_, f32>, accum: Accum, rows: MatRef<'_, f32>, matrix: MatRef<'_, f32>) {
    let enough = y.ncols() >= COLUMNS * rayon::current_num_threads();
    if y.nrows() <= FEW_ROWS && enough && has_short_vectors() {
        by_columns(y, accum, rows, matrix);
    } else {
        matmul(y, accum, rows, matrix, 1.0, Par::rayon(0));
    }
}

/// How many columns a core computes at a time: two blocks of those that faer keeps in registers of AVX2.
#[cfg(not(target_arch = "wasm32"))]
const COLUMNS: usize = 48;

/// Up to how many rows the columns are shared.
#[cfg(not(target_arch = "wasm32"))]
const FEW_ROWS: usize = 512;

/// Whether the processor has AVX2 and no AVX-512: it was measured there alone that sharing columns is faster.
#[cfg(not(target_arch = "wasm32"))]
fn has_short_vectors() -> bool {
    #[cfg(target_arch = "x86_64")]
    return is_x86_feature_detected!("avx2") && !is_x86_feature_detected!("avx512f");
    #[cfg(not(target_arch = "x86_64"))]
    return false;
}

#[cfg(not(target_arch = "wasm32"))]
fn by_columns(y: MatMut<'_, f32>, accum: Accum, rows: MatRef<'_, f32>, matrix: MatRef<'_, f32>) {
    let parts = y.ncols().div_ceil(COLUMNS);
    if parts == 1 {
        matmul(y, accum, rows, matrix, 1.0, Par::Seq);
        return;
    }
    let middle = parts / 2 * COLUMNS;
    let (left, right) = y.split_at_col_mut(middle);
    let (left_matrix, right_matrix) = matrix.split_at_col(middle);
    rayon::join(
        || by_columns(left, accum, rows, left_matrix),
        || by_columns(right, accum, rows, right_matrix),
    );
}
