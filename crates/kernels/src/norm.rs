//! Layer normalisation, a row of features at a time: each number is read once for all that is done to it.

#![expect(
    clippy::extra_unused_type_parameters,
    reason = "`with_simd` wants the instructions as a type, which plain arithmetic does not mention"
)]

use macerator::{Simd, with_simd};
use rayon::prelude::*;

use crate::parallel::{together, zeros};
use crate::sum::{product, sum};

/// y = (x - mean) * scale * gamma + beta, over rows of features.
#[derive(Clone, Copy, Debug)]
pub struct Norm<'a> {
    /// Whether the mean of a row is taken off; if not, it counts as 0.
    pub centred: bool,
    /// A factor for each feature.
    pub gamma: &'a [f32],
    /// A shift for each feature.
    pub beta: &'a [f32],
}

/// What a norm found in one row.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Row {
    /// The mean that was taken off.
    pub mean: f32,
    /// The factor of the row.
    pub scale: f32,
    /// How the factor falls where the row grows: its derivative by x_i is -`fall` scale (x_i - mean).
    pub fall: f32,
}

/// What of a norm is a constant on the way back.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Constant<'a> {
    /// Nothing: the gradient of the norm at these rows.
    Nothing(&'a [f32]),
    /// The scale: the LN-rule.
    Scale,
    /// The scale and the mean.
    Moments,
}

impl Norm<'_> {
    /// The value at the rows `x`, and what was found in each. `scale` gives the factor of a row and its
    /// [`fall`](Row::fall) from the sum of its squares, after the mean was taken off.
    ///
    /// # Panics
    ///
    /// If `gamma` and `beta` are not of one length, or `x` not of whole rows.
    pub fn forward(
        &self,
        x: &[f32],
        scale: impl Fn(f32) -> (f32, f32) + Copy + Send + Sync,
    ) -> (Vec<f32>, Vec<Row>) {
        let features = self.gamma.len();
        assert_eq!(features, self.beta.len(), "gamma and beta differ in length");
        assert!(x.len().is_multiple_of(features), "a row is cut");
        let together = together(features);
        let mut y = zeros(x.len());
        let mut rows = vec![Row::default(); x.len() / features];
        y.par_chunks_mut(together * features)
            .zip(x.par_chunks(together * features))
            .zip(rows.par_chunks_mut(together))
            .for_each(|((y, x), rows)| normalise(y, x, rows, *self, scale));
        (y, rows)
    }

    /// Puts what flows back to `x` in the place of the `gradient` of the value.
    ///
    /// ```
    /// use relprop_kernels::{Constant, Norm};
    ///
    /// let norm = Norm { centred: true, gamma: &[1.0, 1.0], beta: &[0.0, 0.0] };
    /// let x = [3.0, 1.0];
    /// let (y, rows) = norm.forward(&x, |squares| ((squares / 2.0).sqrt().recip(), 0.0));
    /// assert_eq!(y, [1.0, -1.0]);
    /// let mut flow = [1.0, 0.0];
    /// norm.backward(&mut flow, &rows, Constant::Scale);
    /// assert_eq!(flow, [0.5, -0.5]); // C = I - 1/2
    /// ```
    pub fn backward(&self, gradient: &mut [f32], rows: &[Row], constant: Constant<'_>) {
        let together = together(self.gamma.len());
        let numbers = together * self.gamma.len();
        gradient
            .par_chunks_mut(numbers)
            .zip(rows.par_chunks(together))
            .enumerate()
            .for_each(|(piece, (flow, rows))| {
                let constant = match constant {
                    Constant::Nothing(x) => {
                        let start = piece * numbers;
                        Constant::Nothing(&x[start..start + flow.len()])
                    }
                    other => other,
                };
                pull(flow, rows, *self, constant);
            });
    }
}

#[with_simd]
fn normalise<'a, S: Simd, F: Fn(f32) -> (f32, f32)>(
    y: &mut [f32],
    x: &[f32],
    rows: &mut [Row],
    norm: Norm<'a>,
    scale: F,
) {
    let features = norm.gamma.len();
    let values = y.chunks_exact_mut(features).zip(x.chunks_exact(features));
    for ((y, x), row) in values.zip(rows) {
        let mean = match norm.centred {
            true => sum(x, |x| x) / features as f32,
            false => 0.0,
        };
        let (scale, fall) = scale(sum(x, |x| (x - mean) * (x - mean)));
        let terms = norm.gamma.iter().zip(norm.beta);
        for ((y, x), (gamma, beta)) in y.iter_mut().zip(x).zip(terms) {
            *y = (x - mean) * scale * gamma + beta;
        }
        *row = Row { mean, scale, fall };
    }
}

#[with_simd]
fn pull<'a, S: Simd>(flow: &mut [f32], rows: &[Row], norm: Norm<'a>, constant: Constant<'a>) {
    let features = norm.gamma.len();
    let flows = flow.chunks_exact_mut(features).zip(rows);
    for (index, (flow, row)) in flows.enumerate() {
        for (flow, gamma) in flow.iter_mut().zip(norm.gamma) {
            *flow = *flow * gamma * row.scale;
        }
        if let Constant::Nothing(x) = constant {
            let x = &x[index * features..(index + 1) * features];
            let bend = row.fall * product(flow, x, row.mean);
            for (flow, x) in flow.iter_mut().zip(x) {
                *flow -= bend * (x - row.mean);
            }
        }
        if norm.centred && constant != Constant::Moments {
            let mean = sum(flow, |flow| flow) / features as f32;
            flow.iter_mut().for_each(|flow| *flow -= mean);
        }
    }
}
