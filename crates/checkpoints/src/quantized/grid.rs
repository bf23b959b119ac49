//! A matrix of small numbers with a factor for each block of it.

use std::io;

use super::parts::{Parts, matrix};
use crate::weights::Stored;

/// The factors, and the sizes of the blocks that have one each.
pub(super) struct Grid {
    scales: Stored,
    /// How many columns of blocks there are.
    columns: usize,
    block: [usize; 2],
}

impl Grid {
    /// The factors in this part, for a matrix of this shape: one for all, one for each row, or one for each block.
    /// Blocks have the size `block`, or are all equal where it is not said.
    pub(super) fn take(
        parts: &mut Parts,
        part: &str,
        shape: [usize; 2],
        block: Option<[usize; 2]>,
    ) -> Result<Self, String> {
        let scales = parts.take_floats(part)?;
        let blocks = match scales.shape() {
            [] | [1] => [1, 1],
            [rows] => [*rows, 1],
            _ => matrix(part, &scales)?,
        };
        let fit = |side: usize| {
            let (whole, count) = (shape[side], blocks[side]);
            match block {
                Some(block) if blocks != [1, 1] => {
                    let size = block[side];
                    (size > 0 && whole.div_ceil(size) == count).then_some(size)
                }
                _ => (count > 0 && whole.is_multiple_of(count)).then(|| whole / count),
            }
        };
        let (Some(rows), Some(columns)) = (fit(0), fit(1)) else {
            return Err(format!(
                "`{part}` has the shape {:?}, which does not go with a matrix of the shape {shape:?}",
                scales.shape()
            ));
        };
        Ok(Self {
            scales,
            columns: blocks[1],
            block: [rows.max(1), columns.max(1)],
        })
    }

    /// Where the factor of each number of the matrix stands among all factors.
    pub(super) fn place(&self, row: usize, column: usize) -> usize {
        row / self.block[0] * self.columns + column / self.block[1]
    }

    /// How many columns of blocks there are.
    pub(super) fn columns(&self) -> usize {
        self.columns
    }

    /// The shape of the factors.
    pub(super) fn shape(&self) -> &[usize] {
        self.scales.shape()
    }

    /// The factors.
    pub(super) fn scales(&self) -> io::Result<Vec<f64>> {
        self.scales.floats()
    }
}
