//! The products of attention: a matrix for each head of each text.

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use rayon::prelude::*;

use crate::parallel::zeros;

/// A matrix for each head of each text, `[text, head, row, column]`: a view of numbers that lie elsewhere.
#[derive(Clone, Copy, Debug)]
pub struct Heads<'a> {
    /// The numbers; the first is the first of the first matrix.
    pub numbers: &'a [f32],
    /// How many texts, heads, rows and columns there are.
    pub shape: [usize; 4],
    /// The distance in numbers from one text, head, row or column to the next. That of the rows or
    /// that of the columns is 1.
    pub strides: [usize; 4],
}

/// How the matrices of a product lie in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// One after the other, `[text, head, row, column]`.
    Heads,
    /// The heads of a row side by side, `[text, row, head, column]`.
    Rows,
}

impl<'a> Heads<'a> {
    /// The transposed matrices, as a view of the same numbers.
    pub fn transposed(mut self) -> Self {
        self.shape.swap(2, 3);
        self.strides.swap(2, 3);
        self
    }

    fn matrix(&self, text: usize, head: usize) -> MatRef<'a, f32> {
        let [_, _, rows, columns] = self.shape;
        let [texts, heads, row, column] = self.strides;
        let numbers = &self.numbers[text * texts + head * heads..];
        if column == 1 {
            MatRef::from_row_major_slice_with_stride(numbers, rows, columns, row)
        } else {
            assert_eq!(row, 1, "neither rows nor columns lie side by side");
            MatRef::from_column_major_slice_with_stride(numbers, rows, columns, column)
        }
    }
}

/// `factor` times the product of every matrix on the left with its counterpart on the right.
///
/// ```
/// use relprop_kernels::{Heads, Order, products};
///
/// let row = Heads { numbers: &[1.0, 2.0], shape: [1, 1, 1, 2], strides: [2, 2, 2, 1] };
/// assert_eq!(products(row, row.transposed(), 0.5, Order::Heads), [2.5]);
/// ```
///
/// # Panics
///
/// If the shapes of the two do not fit together, or if their strides are not those of their numbers.
pub fn products(left: Heads<'_>, right: Heads<'_>, factor: f32, order: Order) -> Vec<f32> {
    let [texts, heads, rows, inner] = left.shape;
    let columns = right.shape[3];
    assert_eq!(right.shape, [texts, heads, inner, columns], "another shape");
    let mut y = zeros(texts * heads * rows * columns);
    let mut places = Vec::with_capacity(texts * heads);
    for text in y.chunks_exact_mut(heads * rows * columns) {
        match order {
            Order::Heads => {
                let heads = text.chunks_exact_mut(rows * columns);
                places.extend(heads.map(|y| MatMut::from_row_major_slice_mut(y, rows, columns)));
            }
            Order::Rows => {
                let mut rest = MatMut::from_row_major_slice_mut(text, rows, heads * columns);
                for _ in 0..heads {
                    let (place, next) = rest.split_at_col_mut(columns);
                    places.push(place);
                    rest = next;
                }
            }
        }
    }
    let places = places.into_par_iter().enumerate();
    places.for_each(|(index, place)| {
        let (text, head) = (index / heads, index % heads);
        let [left, right] = [left, right].map(|side| side.matrix(text, head));
        matmul(place, Accum::Replace, left, right, factor, Par::Seq);
    });
    y
}
