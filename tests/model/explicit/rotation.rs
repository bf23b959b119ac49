//! Rotary positions as matrices, one for each position.

use std::f64::consts::PI;

use relprop_rules::operations::Pairs;
use relprop_transformer::RotaryConfig;

/// How the heads of a text are turned.
pub struct Rotation {
    /// The angle of each pair of features from one position to the next.
    angles: Vec<f64>,
    positions: usize,
    /// How many features a head has.
    width: usize,
    pairs: Pairs,
}

impl Rotation {
    pub fn new(config: &RotaryConfig, width: usize, positions: usize) -> Self {
        let turned = config.features.unwrap_or(width);
        let angles = (0..turned / 2).map(|pair| {
            let angle = 1.0 / config.theta.powf(2.0 * pair as f64 / turned as f64);
            let Some(scaling) = config.scaling else {
                return angle;
            };
            // By the length of the wave, as Llama 3.1 has it.
            let length = 2.0 * PI / angle;
            let original = scaling.original_positions as f64;
            let longest = original / scaling.low_frequency;
            let shortest = original / scaling.high_frequency;
            if length > longest {
                angle / scaling.factor
            } else if length < shortest {
                angle
            } else {
                let kept = (original / length - scaling.low_frequency)
                    / (scaling.high_frequency - scaling.low_frequency);
                (1.0 - kept) * angle / scaling.factor + kept * angle
            }
        });
        Self {
            angles: angles.collect(),
            positions,
            width,
            pairs: config.pairs,
        }
    }

    /// dy_j / dx_i for each position, `[position, i, j]`.
    pub fn matrices(&self) -> Vec<f64> {
        let (width, half) = (self.width, self.angles.len());
        let mut matrices = vec![0.0; self.positions * width * width];
        for (position, matrix) in matrices.chunks_mut(width * width).enumerate() {
            for feature in 2 * half..width {
                matrix[feature * width + feature] = 1.0;
            }
            for (pair, angle) in self.angles.iter().enumerate() {
                let (a, b) = match self.pairs {
                    Pairs::Halves => (pair, pair + half),
                    Pairs::Neighbours => (2 * pair, 2 * pair + 1),
                };
                let (sin, cos) = (position as f64 * angle).sin_cos();
                matrix[a * width + a] = cos;
                matrix[b * width + a] = -sin;
                matrix[b * width + b] = cos;
                matrix[a * width + b] = sin;
            }
        }
        matrices
    }
}
