//! Rotary positions as matrices, one for each position.

use std::f64::consts::PI;

use relprop_rules::operations::Pairs;
use relprop_transformer::{RotaryConfig, RotaryScaling, TransformerConfig};

/// How the heads of a text are turned.
pub struct Rotation {
    /// The angle of each pair of features from one position to the next.
    angles: Vec<f64>,
    /// What turned features are multiplied by.
    size: f64,
    positions: usize,
    /// How many features a head has.
    width: usize,
    pairs: Pairs,
}

impl Rotation {
    /// In a text of so many `positions`.
    pub fn new(config: &TransformerConfig, rotary: &RotaryConfig, positions: usize) -> Self {
        let width = config.head_width();
        let turned = rotary.features.unwrap_or(width);
        let base = match rotary.scaling {
            Some(RotaryScaling::Dynamic {
                factor,
                original_positions: original,
            }) if positions > original => {
                let longer = factor * positions as f64 / original as f64 - (factor - 1.0);
                rotary.theta * longer.powf(turned as f64 / (turned as f64 - 2.0))
            }
            _ => rotary.theta,
        };
        let angles = (0..turned / 2).map(|pair| {
            let angle = 1.0 / base.powf(2.0 * pair as f64 / turned as f64);
            let length = 2.0 * PI / angle;
            match rotary.scaling {
                None | Some(RotaryScaling::Dynamic { .. }) => angle,
                Some(RotaryScaling::Linear { factor }) => angle / factor,
                Some(RotaryScaling::Llama3 {
                    factor,
                    low_frequency,
                    high_frequency,
                    original_positions,
                }) => {
                    // By the length of the wave.
                    let original = original_positions as f64;
                    if length > original / low_frequency {
                        angle / factor
                    } else if length < original / high_frequency {
                        angle
                    } else {
                        let kept =
                            (original / length - low_frequency) / (high_frequency - low_frequency);
                        (1.0 - kept) * angle / factor + kept * angle
                    }
                }
                Some(RotaryScaling::Yarn {
                    factor,
                    fast,
                    slow,
                    original_positions,
                    truncated,
                    size: _,
                }) => {
                    // By the number of the pair; base^(2 k / d) is the length of wave k over 2 pi.
                    let number = |turns: f64| {
                        let wave = original_positions as f64 / turns;
                        turned as f64 / 2.0 * (wave / (2.0 * PI)).log(base)
                    };
                    let (mut from, mut to) = (number(fast), number(slow));
                    if truncated {
                        (from, to) = (from.floor(), to.ceil());
                    }
                    let from = from.max(0.0);
                    let to = to.min((turned - 1) as f64);
                    let to = if from == to { to + 1e-3 } else { to };
                    let scaled = ((pair as f64 - from) / (to - from)).clamp(0.0, 1.0);
                    (1.0 - scaled) * angle + scaled * angle / factor
                }
                Some(RotaryScaling::Long {
                    original_positions, ..
                }) => {
                    let lists = config.rotary_factors.as_ref().unwrap();
                    let long = positions > original_positions;
                    angle
                        / if long {
                            lists.long[pair]
                        } else {
                            lists.short[pair]
                        }
                }
            }
        });
        let size = match rotary.scaling {
            Some(RotaryScaling::Yarn { size, .. }) => size,
            Some(RotaryScaling::Long { size, .. }) => size.unwrap(),
            _ => 1.0,
        };
        Self {
            angles: angles.collect(),
            size,
            positions,
            width,
            pairs: rotary.pairs,
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
                let (sin, cos) = (self.size * sin, self.size * cos);
                matrix[a * width + a] = cos;
                matrix[b * width + a] = -sin;
                matrix[b * width + b] = cos;
                matrix[a * width + b] = sin;
            }
        }
        matrices
    }
}
