//! Layer normalization, one row of features at a time, so that the row stays in the cache for all
//! steps.

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
    /// Whether the mean of a row is subtracted; if not, the mean counts as 0.
    pub centered: bool,
    /// A factor for each feature.
    pub gamma: &'a [f32],
    /// A shift for each feature.
    pub beta: &'a [f32],
}

/// What a norm computed for one row.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Row {
    /// The mean that was subtracted.
    pub mean: f32,
    /// The factor of the row.
    pub scale: f32,
    /// d scale / d x_i = -`scale_slope` * scale * (x_i - mean).
    pub scale_slope: f32,
}

/// What the gradient flows through in the backward pass, besides the features themselves. A part
/// that is left out is a constant. With both parts the result is the gradient of the norm.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Through<'a> {
    /// Whether it flows through the mean.
    pub mean: bool,
    /// The rows `x` of the forward pass if it flows through the scale, whose slope depends on them.
    pub scale: Option<&'a [f32]>,
}

impl Norm<'_> {
    /// The value at the rows `x`, and what was computed for each. `scale` gets the sum of a row's
    /// squares, after the mean was subtracted, and returns the factor of the row and its
    /// [slope](Row::scale_slope).
    ///
    /// # Panics
    ///
    /// If `gamma` and `beta` differ in length, or `x` does not consist of whole rows.
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
            .for_each(|((y, x), rows)| normalize(y, x, rows, *self, scale));
        (y, rows)
    }

    /// Replaces `gradient`, the gradient of the value, by the gradient of `x`.
    ///
    /// ```
    /// use relprop_kernels::{Norm, Through};
    ///
    /// let norm = Norm { centered: true, gamma: &[1.0, 1.0], beta: &[0.0, 0.0] };
    /// let x = [3.0, 1.0];
    /// let (y, rows) = norm.forward(&x, |squares| ((squares / 2.0).sqrt().recip(), 0.0));
    /// assert_eq!(y, [1.0, -1.0]);
    /// let mut flow = [1.0, 0.0];
    /// norm.backward(&mut flow, &rows, Through { mean: true, scale: None });
    /// assert_eq!(flow, [0.5, -0.5]); // 1 and 0, minus their mean
    /// ```
    ///
    /// # Panics
    ///
    /// If `through.scale` is shorter than the gradient.
    pub fn backward(&self, gradient: &mut [f32], rows: &[Row], through: Through<'_>) {
        let together = together(self.gamma.len());
        let numbers = together * self.gamma.len();
        gradient
            .par_chunks_mut(numbers)
            .zip(rows.par_chunks(together))
            .enumerate()
            .for_each(|(piece, (flow, rows))| {
                let start = piece * numbers;
                let end = start + flow.len();
                let through = Through {
                    scale: through.scale.map(|x| &x[start..end]),
                    ..through
                };
                pull(flow, rows, *self, through);
            });
    }
}

#[with_simd]
fn normalize<'a, S: Simd, F: Fn(f32) -> (f32, f32)>(
    y: &mut [f32],
    x: &[f32],
    rows: &mut [Row],
    norm: Norm<'a>,
    scale: F,
) {
    let features = norm.gamma.len();
    let values = y.chunks_exact_mut(features).zip(x.chunks_exact(features));
    for ((y, x), row) in values.zip(rows) {
        let mean = match norm.centered {
            true => sum(x, |x| x) / features as f32,
            false => 0.0,
        };
        let (scale, scale_slope) = scale(sum(x, |x| (x - mean) * (x - mean)));
        let terms = norm.gamma.iter().zip(norm.beta);
        for ((y, x), (gamma, beta)) in y.iter_mut().zip(x).zip(terms) {
            *y = (x - mean) * scale * gamma + beta;
        }
        *row = Row {
            mean,
            scale,
            scale_slope,
        };
    }
}

#[with_simd]
fn pull<'a, S: Simd>(flow: &mut [f32], rows: &[Row], norm: Norm<'a>, through: Through<'a>) {
    let features = norm.gamma.len();
    let flows = flow.chunks_exact_mut(features).zip(rows);
    for (index, (flow, row)) in flows.enumerate() {
        for (flow, gamma) in flow.iter_mut().zip(norm.gamma) {
            *flow = *flow * gamma * row.scale;
        }
        if let Some(x) = through.scale {
            let x = &x[index * features..(index + 1) * features];
            let bend = row.scale_slope * product(flow, x, row.mean);
            for (flow, x) in flow.iter_mut().zip(x) {
                *flow -= bend * (x - row.mean);
            }
        }
        if norm.centered && through.mean {
            let mean = sum(flow, |flow| flow) / features as f32;
            flow.iter_mut().for_each(|flow| *flow -= mean);
        }
    }
}
