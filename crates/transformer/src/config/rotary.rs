//! Positions as rotations, and how they are scaled for longer texts.

use relprop_rules::operations::Pairs;
use serde::{Deserialize, Serialize};

use super::TransformerConfig;
use super::check::{ConfigError, LARGEST, ensure};

/// Positions as rotations: at position p, the pair k of a head of d features is rotated by the
/// angle p * theta^(-2k / d).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RotaryConfig {
    /// The base of the frequencies, above 0: 10000 in most models.
    pub theta: f64,
    /// How the frequencies are scaled for longer texts, if they are.
    #[serde(default)]
    pub scaling: Option<RotaryScaling>,
    /// How many of a head's features are turned, the first ones, if not all; d is then this number.
    #[serde(default)]
    pub features: Option<usize>,
    /// Which features are a pair.
    #[serde(default)]
    pub pairs: Pairs,
}

impl RotaryConfig {
    /// All features of a head, each with one of the other half.
    pub fn new(theta: f64) -> Self {
        Self {
            theta,
            scaling: None,
            features: None,
            pairs: Pairs::Halves,
        }
    }
}

/// How the frequencies of rotations are scaled, so that a model reads longer texts than it was first trained on.
/// In each, `original_positions` is how many tokens a text could have before, at least 1, and `factor`, above 0, how
/// much longer texts became.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum RotaryScaling {
    /// All frequencies are divided by the factor (Chen et al. 2023).
    Linear {
        /// See above.
        factor: f64,
    },
    /// In a text of n tokens, more than the N original positions, theta is multiplied by
    /// (factor n / N - factor + 1)^(d / (d - 2)). Shorter texts are as they were.
    Dynamic {
        /// See above.
        factor: f64,
        /// See above.
        original_positions: usize,
    },
    /// Llama 3.1. The frequency of a wave longer than `original_positions` / `low_frequency` is divided by
    /// the factor. A wave shorter than `original_positions` / `high_frequency` is kept. Between the two lengths
    /// the scaling goes smoothly from one to the other.
    Llama3 {
        /// See above.
        factor: f64,
        /// A wave with at most this many turns in a text of `original_positions` is scaled by the whole
        /// factor.
        low_frequency: f64,
        /// A wave with at least this many turns in such a text is kept; above `low_frequency`.
        high_frequency: f64,
        /// See above.
        original_positions: usize,
    },
    /// YaRN (Peng et al. 2024). Pairs are counted from the fastest wave. Up to the one that turns `fast` times in a
    /// text of `original_positions`, waves are kept; from the one that turns `slow` times on, their frequencies are
    /// divided by the factor; between the two, the share that is kept falls in a straight line.
    Yarn {
        /// See above.
        factor: f64,
        /// How often the last wave turns that is kept: 32 in most models.
        fast: f64,
        /// How often the first wave turns that is scaled by the whole factor: 1 in most models.
        slow: f64,
        /// See above.
        original_positions: usize,
        /// Whether the numbers of these two pairs are rounded, down and up.
        truncated: bool,
        /// What turned features are multiplied by.
        size: f64,
    },
    /// LongRoPE (Ding et al. 2024): each frequency is divided by a number of its own, of
    /// [`TransformerConfig::rotary_factors`]. There are others for texts of more than `original_positions` tokens.
    Long {
        /// See above.
        original_positions: usize,
        /// See above; if it is not given, the number of positions by that of original ones.
        factor: Option<f64>,
        /// What turned features are multiplied by; if it is not given, sqrt(1 + ln(factor) /
        /// ln(`original_positions`)), where that is above 1.
        size: Option<f64>,
    },
}

/// The numbers by which the frequency of each pair of features is divided in
/// [LongRoPE](RotaryScaling::Long), the fastest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RotaryFactors {
    /// In texts that have no more than the original positions.
    pub short: Vec<f64>,
    /// In longer ones.
    pub long: Vec<f64>,
}

impl TransformerConfig {
    /// How many features of each head are turned.
    pub(crate) fn turned_features(&self, rotary: &RotaryConfig) -> usize {
        rotary.features.unwrap_or(self.head_width())
    }

    pub(super) fn check_rotary(&self, rotary: &RotaryConfig) -> Result<(), ConfigError> {
        let width = self.head_width();
        let range = "even where positions are rotary";
        match rotary.features {
            None => {
                let even = width.is_multiple_of(2);
                ensure(even, "attention.head_width", width, range)?;
            }
            Some(turned) => {
                let fits = turned.is_multiple_of(2) && (2..=width).contains(&turned);
                let range = "even, at least 2, and at most the width of a head";
                ensure(fits, "attention.rotary.features", turned, range)?;
            }
        }
        let range = "a finite number above 0";
        let theta = rotary.theta;
        ensure(positive(theta), "attention.rotary.theta", theta, range)?;
        rotary
            .scaling
            .map_or(Ok(()), |scaling| self.check_scaling(scaling, rotary))
    }

    fn check_scaling(
        &self,
        scaling: RotaryScaling,
        rotary: &RotaryConfig,
    ) -> Result<(), ConfigError> {
        let number = |field, value: f64| {
            let range = "a finite number above 0";
            ensure(positive(value), field, value, range)
        };
        let positions = |original: usize| {
            let fits = (1..=LARGEST).contains(&original);
            let field = "attention.rotary.scaling.original_positions";
            ensure(fits, field, original, "at least 1, and below 2^31")
        };
        let by = |factor| number("attention.rotary.scaling.factor", factor);
        match scaling {
            RotaryScaling::Linear { factor } => by(factor),
            RotaryScaling::Dynamic {
                factor,
                original_positions,
            } => {
                by(factor)?;
                positions(original_positions)?;
                let turned = self.turned_features(rotary);
                let range = "more than 2 where their scaling is dynamic";
                ensure(turned > 2, "attention.rotary.features", turned, range)
            }
            RotaryScaling::Llama3 {
                factor,
                low_frequency: low,
                high_frequency: high,
                original_positions,
            } => {
                by(factor)?;
                number("attention.rotary.scaling.low_frequency", low)?;
                let field = "attention.rotary.scaling.high_frequency";
                let fits = positive(high) && high > low;
                ensure(fits, field, high, "above the low frequency")?;
                positions(original_positions)
            }
            RotaryScaling::Yarn {
                factor,
                fast,
                slow,
                original_positions,
                size,
                truncated: _,
            } => {
                by(factor)?;
                number("attention.rotary.scaling.slow", slow)?;
                let field = "attention.rotary.scaling.fast";
                let fits = positive(fast) && fast >= slow;
                ensure(fits, field, fast, "at least the slow one")?;
                number("attention.rotary.scaling.size", size)?;
                let theta = rotary.theta;
                let range = "above 1 where the scaling is YaRN's";
                ensure(theta > 1.0, "attention.rotary.theta", theta, range)?;
                positions(original_positions)
            }
            RotaryScaling::Long {
                original_positions,
                factor,
                size,
            } => {
                by(factor.unwrap_or(1.0))?;
                number("attention.rotary.scaling.size", size.unwrap_or(1.0))?;
                positions(original_positions)?;
                // Its logarithm is a divisor.
                let field = "attention.rotary.scaling.original_positions";
                let fits = original_positions > 1 || size.is_some();
                ensure(fits, field, original_positions, "at least 2 without a size")?;
                let pairs = self.turned_features(rotary) / 2;
                let lists = self.rotary_factors.as_ref();
                let lists = lists.map_or([&[][..]; 2], |lists| [&lists.short, &lists.long]);
                for list in lists {
                    let fits = list.len() == pairs && list.iter().all(|x| positive(*x));
                    let range = "a finite number above 0 for each pair of features, twice";
                    ensure(fits, "rotary_factors", list.len(), range)?;
                }
                Ok(())
            }
        }
    }
}

fn positive(x: f64) -> bool {
    x > 0.0 && x.is_finite()
}
