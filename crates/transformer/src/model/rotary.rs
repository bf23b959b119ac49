//! The angles of rotary positions.

use std::f64::consts::TAU;

use burn::tensor::{DType, Int, Tensor, TensorData};
use relprop_rules::operations::Rotary;

use crate::{Batch, RotaryConfig, RotaryScaling, TransformerConfig};

/// The rotation of every token of the batch.
///
/// The angles are computed here, in f64: in f32, the angles of late positions would lose digits. Where they
/// depend on the length of a text, each text of the batch has its own.
pub(super) fn rotary(
    config: &TransformerConfig,
    rotary: &RotaryConfig,
    batch: &Batch,
    dtype: DType,
) -> Rotary {
    let [texts, positions] = batch.positions.dims();
    let device = batch.positions.device();
    let pairs = config.turned_features(rotary) / 2;
    let mut tables: Vec<Vec<f64>> = Vec::new();
    let of_texts = batch.spans.iter().map(|span| {
        let frequencies = frequencies(config, rotary, span.len());
        let known = tables.iter().position(|known| *known == frequencies);
        known.unwrap_or_else(|| {
            tables.push(frequencies);
            tables.len() - 1
        })
    });
    let starts: Vec<i64> = of_texts.map(|table| (table * positions) as i64).collect();
    let starts = Tensor::<2, Int>::from_data(TensorData::new(starts, [texts, 1]), &device);
    let rows = batch.positions.clone() + starts.expand([texts, positions]);
    let rows = rows.reshape([texts * positions]);
    let size = size(config, rotary);
    let of_tokens = |part: fn(f64) -> f64| {
        let angles = tables.iter().flat_map(|frequencies| {
            (0..positions).flat_map(move |p| frequencies.iter().map(move |f| p as f64 * f))
        });
        let numbers = angles.map(|angle| size * part(angle)).collect();
        let table = TensorData::new(numbers, [tables.len() * positions, pairs]);
        let table = Tensor::<2>::from_data(table, (&device, dtype));
        let rows = table.select(0, rows.clone());
        rows.reshape([texts, 1, positions, pairs])
    };
    Rotary {
        cos: of_tokens(f64::cos),
        sin: of_tokens(f64::sin),
        pairs: rotary.pairs,
    }
}

/// The angle by which each pair of features is rotated from one position to the next, in a text of `length`
/// tokens.
fn frequencies(config: &TransformerConfig, rotary: &RotaryConfig, length: usize) -> Vec<f64> {
    let width = config.turned_features(rotary);
    let of = |theta: f64| {
        let pairs = (0..width / 2).map(move |pair| (2 * pair) as f64 / width as f64);
        pairs.map(move |exponent| theta.powf(-exponent))
    };
    let plain = of(rotary.theta);
    match rotary.scaling {
        None => plain.collect(),
        Some(RotaryScaling::Linear { factor }) => {
            plain.map(|frequency| frequency / factor).collect()
        }
        Some(RotaryScaling::Dynamic {
            factor,
            original_positions,
        }) => {
            let longer = length.max(original_positions) as f64 / original_positions as f64;
            let width = width as f64;
            let stretched = (factor * longer - factor + 1.0).powf(width / (width - 2.0));
            of(rotary.theta * stretched).collect()
        }
        Some(RotaryScaling::Llama3 {
            factor,
            low_frequency,
            high_frequency,
            original_positions,
        }) => {
            let scaled = plain.map(|frequency| {
                let turns = original_positions as f64 * frequency / TAU;
                let kept = (turns - low_frequency) / (high_frequency - low_frequency);
                between(frequency, factor, kept)
            });
            scaled.collect()
        }
        Some(RotaryScaling::Yarn {
            factor,
            fast,
            slow,
            original_positions,
            truncated,
            size: _,
        }) => {
            // The number of the pair whose wave turns so often in the original length.
            let pair_of = |turns: f64| {
                let angle = TAU * turns / original_positions as f64;
                -(width as f64) * angle.ln() / (2.0 * rotary.theta.ln())
            };
            let [mut first, mut last] = [pair_of(fast), pair_of(slow)];
            if truncated {
                [first, last] = [first.floor(), last.ceil()];
            }
            [first, last] = [first.max(0.0), last.min(width as f64 - 1.0)];
            if first == last {
                last += 0.001;
            }
            let scaled = plain.enumerate().map(|(pair, frequency)| {
                let kept = (last - pair as f64) / (last - first);
                between(frequency, factor, kept)
            });
            scaled.collect()
        }
        Some(RotaryScaling::Long {
            original_positions, ..
        }) => {
            let factors = config.rotary_factors.as_ref();
            let factors = factors.map_or(&[][..], |factors| match length > original_positions {
                true => &factors.long,
                false => &factors.short,
            });
            plain.zip(factors).map(|(plain, by)| plain / by).collect()
        }
    }
}

/// A frequency of which this share is kept, if it is one, and the rest divided by `factor`.
fn between(frequency: f64, factor: f64, kept: f64) -> f64 {
    let kept = kept.clamp(0.0, 1.0);
    frequency * (kept + (1.0 - kept) / factor)
}

/// What turned features are multiplied by.
fn size(config: &TransformerConfig, rotary: &RotaryConfig) -> f64 {
    match rotary.scaling {
        Some(RotaryScaling::Yarn { size, .. }) => size,
        Some(RotaryScaling::Long {
            original_positions,
            factor,
            size,
        }) => size.unwrap_or_else(|| {
            let original = original_positions as f64;
            let factor = factor.unwrap_or(config.positions as f64 / original);
            match factor > 1.0 {
                true => (1.0 + factor.ln() / original.ln()).sqrt(),
                false => 1.0,
            }
        }),
        _ => 1.0,
    }
}
