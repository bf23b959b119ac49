//! Bootstrap intervals of means.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// How often the sample is resampled.
const RESAMPLES: usize = 1000;
/// The seed of the draws: the same numbers give the same interval.
const SEED: u64 = 0;

/// A mean over texts with its 95 % bootstrap interval (percentiles of means of resampled texts).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The mean.
    pub mean: f64,
    /// The 2.5th percentile.
    pub low: f64,
    /// The 97.5th percentile.
    pub high: f64,
}

/// The mean of `values` with its interval; NaN if there are none.
pub fn mean_with_interval(values: &[f64]) -> Interval {
    let mean = |sum: f64| sum / values.len() as f64;
    if values.is_empty() {
        let [mean, low, high] = [f64::NAN; 3];
        return Interval { mean, low, high };
    }
    let mut generator = ChaCha8Rng::seed_from_u64(SEED);
    let mut means: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            let draws = values
                .iter()
                .map(|_| values[generator.random_range(0..values.len())]);
            mean(draws.sum())
        })
        .collect();
    means.sort_by(f64::total_cmp);
    let percentile = |share: f64| means[(share * (RESAMPLES - 1) as f64).round() as usize];
    Interval {
        mean: mean(values.iter().sum()),
        low: percentile(0.025),
        high: percentile(0.975),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_is_about_two_standard_errors_to_either_side() {
        // Zeros and ones in equal parts: the standard error is 0.5 / sqrt(400) = 0.025.
        let values: Vec<f64> = (0..400).map(|index| f64::from(index % 2)).collect();
        let Interval { mean, low, high } = mean_with_interval(&values);
        assert_eq!(mean, 0.5);
        assert!(
            (low - 0.451).abs() < 0.006 && (high - 0.549).abs() < 0.006,
            "{low} {high}"
        );
        assert_eq!(mean_with_interval(&values), mean_with_interval(&values));
    }

    #[test]
    fn equal_values_are_sure_and_none_are_not_a_number() {
        let same = mean_with_interval(&[2.0; 7]);
        assert_eq!((same.mean, same.low, same.high), (2.0, 2.0, 2.0));
        assert!(mean_with_interval(&[]).mean.is_nan());
    }
}
