//! A matrix, rows for columns.

use rayon::prelude::*;

/// So many rows and columns are turned at a time: they fit in the nearest cache.
const TILE: usize = 32;

/// The matrix `x` of so many `columns`, with rows for columns, in rows of memory.
///
/// ```
/// let turned = relprop_kernels::transpose(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 3);
/// assert_eq!(turned, [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
/// ```
///
/// # Panics
///
/// If `x` is not of whole rows.
pub fn transpose(x: &[f32], columns: usize) -> Vec<f32> {
    assert!(x.len().is_multiple_of(columns), "a row is cut");
    let rows = x.len() / columns;
    let mut turned = vec![0.0; x.len()];
    turned
        .par_chunks_mut(TILE * rows)
        .enumerate()
        .for_each(|(strip, turned)| {
            for start in (0..rows).step_by(TILE) {
                let end = (start + TILE).min(rows);
                for (index, turned) in turned.chunks_exact_mut(rows).enumerate() {
                    let column = strip * TILE + index;
                    for (row, turned) in (start..end).zip(&mut turned[start..end]) {
                        *turned = x[row * columns + column];
                    }
                }
            }
        });
    turned
}
