//! The angles of rotary positions.

use std::f64::consts::TAU;

use burn::tensor::{DType, Tensor, TensorData};
use relprop_rules::operations::Rotary;

use crate::{Batch, RotaryConfig};

/// The rotation of every token of the batch, for heads of `width` features, of which the configuration may
/// turn fewer.
///
/// The angles are computed here, in f64: in f32, the angles of late positions would lose digits.
pub(super) fn rotary(config: &RotaryConfig, width: usize, batch: &Batch, dtype: DType) -> Rotary {
    let [texts, positions] = batch.positions.dims();
    let device = batch.positions.device();
    let frequencies = frequencies(config, config.features.unwrap_or(width));
    let of_tokens = |part: fn(f64) -> f64| {
        let angles = (0..positions).flat_map(|p| frequencies.iter().map(move |f| p as f64 * f));
        let table = TensorData::new(angles.map(part).collect(), [positions, frequencies.len()]);
        let table = Tensor::<2>::from_data(table, (&device, dtype));
        let rows = batch.positions.clone().reshape([texts * positions]);
        let rows = table.select(0, rows);
        rows.reshape([texts, 1, positions, frequencies.len()])
    };
    Rotary {
        cos: of_tokens(f64::cos),
        sin: of_tokens(f64::sin),
        pairs: config.pairs,
    }
}

/// The angle by which each pair of features is rotated from one position to the next.
fn frequencies(config: &RotaryConfig, width: usize) -> Vec<f64> {
    let pairs = (0..width / 2).map(|pair| (2 * pair) as f64 / width as f64);
    let plain = pairs.map(|exponent| config.theta.powf(-exponent));
    let Some(scaling) = config.scaling else {
        return plain.collect();
    };
    let scaled = plain.map(|frequency| {
        let turns = scaling.original_positions as f64 * frequency / TAU;
        let kept =
            (turns - scaling.low_frequency) / (scaling.high_frequency - scaling.low_frequency);
        let kept = kept.clamp(0.0, 1.0);
        frequency * (kept + (1.0 - kept) / scaling.factor)
    });
    scaled.collect()
}
