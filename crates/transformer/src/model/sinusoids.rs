//! Positions as sines and cosines.

use burn::tensor::{DType, Int, Tensor, TensorData};

use crate::Sinusoids;

impl Sinusoids {
    /// The numbers of each of `rows`, `[batch, position]` of less than `count`, as [`Sinusoids`] says:
    /// `[batch, position, width]`.
    pub(super) fn at(
        self,
        rows: Tensor<2, Int>,
        count: usize,
        width: usize,
        dtype: DType,
    ) -> Tensor<3> {
        let half = width / 2;
        let steps = match self {
            Self::OverWidth => half as f64,
            Self::ToTheEnd => (half - 1) as f64,
        };
        let angle = move |row: usize, i: usize| row as f64 * 10000_f64.powf(-(i as f64) / steps);
        let numbers = (0..count).flat_map(|row| {
            let sines = (0..half).map(move |i| angle(row, i).sin());
            sines.chain((0..half).map(move |i| angle(row, i).cos()))
        });
        let table = TensorData::new(numbers.collect::<Vec<f64>>(), [count, width]);
        let [texts, positions] = rows.dims();
        let table = Tensor::<2>::from_data(table, (&rows.device(), dtype));
        let found = table.select(0, rows.reshape([texts * positions]));
        found.reshape([texts, positions, width])
    }
}
