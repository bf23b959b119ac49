//! Tokens drawn by their probability.

use std::fmt;
use std::num::NonZeroUsize;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// How the tokens of a continuation are drawn. The default is all tokens by the model's own
/// probabilities.
///
/// The three limits work one after the other, as in Hugging Face's `generate`: the temperature, then
/// `top_k`, then `top_p` of what is left. What remains is scaled to a sum of 1.
///
/// ```
/// use relprop_explain::{Sampler, Sampling};
///
/// let logits = [1.0, 3.0, 2.0].map(f32::ln); // probabilities of 1/6, 3/6 and 2/6
/// let sampling = Sampling { top_p: 0.8, seed: 7, ..Sampling::default() };
/// // 3/6 alone is less than 0.8, with 2/6 it is enough.
/// let [(first, p), (second, q)] = sampling.probabilities(&logits)[..] else { panic!() };
/// assert_eq!((first, second), (1, 2));
/// assert!((p - 0.6).abs() < 1e-6 && (q - 0.4).abs() < 1e-6);
///
/// let mut sampler = Sampler::new(sampling)?;
/// let drawn = [0; 5].map(|_| sampler.draw(&logits));
/// let mut again = Sampler::new(sampling)?;
/// assert_eq!(drawn, [0; 5].map(|_| again.draw(&logits)));
/// # Ok::<(), relprop_explain::SamplingError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sampling {
    /// The number by which logits are divided, above 0. Below 1 likely tokens gain, and towards 0
    /// only the likeliest is left; above 1 unlikely tokens gain.
    pub temperature: f64,
    /// Draw from this many of the likeliest tokens; from all if it is none. Of tokens that are
    /// equally likely, the one with the lower id counts as the likelier.
    pub top_k: Option<NonZeroUsize>,
    /// Draw from the likeliest tokens that together have this much of the probability, as few as
    /// possible (nucleus sampling; Holtzman et al. 2020); in (0, 1].
    pub top_p: f64,
    /// The seed of the random numbers. They come from ChaCha8, so the same seed draws the same
    /// tokens from the same logits everywhere.
    pub seed: u64,
}

impl Default for Sampling {
    fn default() -> Self {
        Self {
            temperature: 1.0,
            top_k: None,
            top_p: 1.0,
            seed: 0,
        }
    }
}

/// A number of a [`Sampling`] that is out of its range.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("the {name} is {value}: it must be {range}")]
pub struct SamplingError {
    /// Which number.
    pub name: &'static str,
    /// What it is.
    pub value: f64,
    /// What it may be.
    pub range: &'static str,
}

impl Sampling {
    /// Checks the ranges of the numbers.
    ///
    /// # Errors
    ///
    /// [`SamplingError`], with the first number that is out of its range.
    pub fn check(&self) -> Result<(), SamplingError> {
        let [temperature, top_p] = [self.temperature, self.top_p];
        let (name, value, range) = if !(temperature > 0.0 && temperature.is_finite()) {
            let range = "above 0 and finite; the likeliest token each time comes without sampling";
            ("temperature", temperature, range)
        } else if !(top_p > 0.0 && top_p <= 1.0) {
            ("top-p", top_p, "above 0 and at most 1")
        } else {
            return Ok(());
        };
        Err(SamplingError { name, value, range })
    }

    /// The tokens that can be drawn, the likeliest first, each with its probability. These sum to 1.
    pub fn probabilities(&self, logits: &[f32]) -> Vec<(usize, f64)> {
        let mut ids: Vec<usize> = (0..logits.len()).collect();
        // A stable sort, so equal logits stay in the order of their ids.
        ids.sort_by(|&a, &b| logits[b].total_cmp(&logits[a]));
        ids.truncate(self.top_k.map_or(logits.len(), NonZeroUsize::get));
        let Some(&likeliest) = ids.first() else {
            return Vec::new();
        };
        let largest = f64::from(logits[likeliest]);
        let power = |id: usize| ((f64::from(logits[id]) - largest) / self.temperature).exp();
        let mut kept: Vec<(usize, f64)> = ids.into_iter().map(|id| (id, power(id))).collect();

        let enough = self.top_p * sum(&kept);
        let mut before = 0.0;
        // At 1 nothing is cut, whatever the rounding of the sums.
        let nucleus = kept.iter().take_while(|(_, power)| {
            let inside = before < enough || self.top_p == 1.0;
            before += power;
            inside
        });
        kept.truncate(nucleus.count());

        let whole = sum(&kept);
        kept.iter_mut().for_each(|(_, power)| *power /= whole);
        kept
    }
}

/// `temperature 0.8, top-k 50, top-p 0.9, seed 0`
impl fmt::Display for Sampling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "temperature {}, ", self.temperature)?;
        if let Some(top_k) = self.top_k {
            write!(f, "top-k {top_k}, ")?;
        }
        if self.top_p < 1.0 {
            write!(f, "top-p {}, ", self.top_p)?;
        }
        write!(f, "seed {}", self.seed)
    }
}

/// Draws one token after the other.
#[derive(Clone, Debug)]
pub struct Sampler {
    sampling: Sampling,
    generator: ChaCha8Rng,
}

impl Sampler {
    /// Starts from the seed.
    ///
    /// # Errors
    ///
    /// As [`Sampling::check`].
    pub fn new(sampling: Sampling) -> Result<Self, SamplingError> {
        sampling.check()?;
        Ok(Self {
            generator: ChaCha8Rng::seed_from_u64(sampling.seed),
            sampling,
        })
    }

    /// The id of the next token.
    ///
    /// # Panics
    ///
    /// If there are no logits.
    pub fn draw(&mut self, logits: &[f32]) -> usize {
        let probabilities = self.sampling.probabilities(logits);
        let mut left: f64 = self.generator.random();
        for (id, probability) in &probabilities {
            left -= probability;
            if left < 0.0 {
                return *id;
            }
        }
        // Rounding: the probabilities summed to a little less than 1.
        probabilities.last().expect("there are logits").0
    }
}

fn sum(kept: &[(usize, f64)]) -> f64 {
    kept.iter().map(|(_, power)| power).sum()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    /// Of 8 tokens, two are equally likely.
    const LOGITS: [f32; 8] = [0.5, -1.0, 2.0, 0.5, 3.0, -4.0, 1.0, 2.5];

    fn sampling(temperature: f64, top_k: usize, top_p: f64) -> Sampling {
        Sampling {
            temperature,
            top_k: NonZeroUsize::new(top_k),
            top_p,
            seed: 11,
        }
    }

    /// The probability of every token in plain loops: a token is in where fewer than `top_k` tokens
    /// stand before it, and where those before it have less than `top_p` of what `top_k` left.
    #[allow(clippy::needless_range_loop, reason = "loops as plain as can be")]
    fn slowly(sampling: &Sampling, logits: &[f32]) -> Vec<f64> {
        let count = logits.len();
        let mut power = vec![0.0; count];
        for i in 0..count {
            power[i] = (f64::from(logits[i]) / sampling.temperature).exp();
        }
        let before =
            |j: usize, i: usize| logits[j] > logits[i] || (logits[j] == logits[i] && j < i);
        for i in 0..count {
            let ahead = (0..count).filter(|&j| before(j, i)).count();
            if ahead >= sampling.top_k.map_or(count, NonZeroUsize::get) {
                power[i] = 0.0;
            }
        }
        let whole: f64 = power.iter().sum();
        let mut kept = power.clone();
        for i in 0..count {
            let mut ahead = 0.0;
            for j in 0..count {
                if before(j, i) {
                    ahead += power[j] / whole;
                }
            }
            if ahead >= sampling.top_p {
                kept[i] = 0.0;
            }
        }
        let whole: f64 = kept.iter().sum();
        kept.iter().map(|power| power / whole).collect()
    }

    #[rstest]
    fn probabilities_are_those_of_plain_loops(
        #[values(0.3, 1.0, 2.5)] temperature: f64,
        #[values(0, 1, 4, 5, 100)] top_k: usize,
        #[values(0.01, 0.5, 0.9, 1.0)] top_p: f64,
    ) {
        let sampling = sampling(temperature, top_k, top_p);
        let expected = slowly(&sampling, &LOGITS);
        let found = sampling.probabilities(&LOGITS);
        let drawable = expected.iter().filter(|p| **p > 0.0).count();
        assert_eq!(found.len(), drawable);
        for (id, probability) in &found {
            assert!((probability - expected[*id]).abs() < 1e-14);
        }
        assert!(found.is_sorted_by(|a, b| a.1 >= b.1));
    }

    /// Of powers of 2: 1/2, 1/4, 1/8 and 1/8 up to rounding.
    const HALVES: [f32; 4] = [2.0, 1.0, 3.0, 1.0];
    /// Four tokens of exactly 1/4.
    const EQUAL: [f32; 4] = [1.0; 4];

    #[rstest]
    #[case(HALVES, 0, 1.0, &[2, 0, 1, 3])]
    #[case(HALVES, 3, 1.0, &[2, 0, 1])]
    #[case(HALVES, 0, 0.499, &[2])]
    #[case(HALVES, 0, 0.501, &[2, 0])]
    #[case(HALVES, 0, 0.876, &[2, 0, 1, 3])]
    #[case(HALVES, 2, 0.666, &[2])] // 1/2 is two thirds of what the best two have
    #[case(HALVES, 2, 0.667, &[2, 0])]
    #[case(HALVES, 0, 1e-300, &[2])] // the likeliest is always in
    #[case(EQUAL, 0, 0.5, &[0, 1])] // exactly enough
    #[case(EQUAL, 0, 0.500_001, &[0, 1, 2])]
    #[case(EQUAL, 3, 1.0, &[0, 1, 2])]
    fn the_tokens_that_can_be_drawn(
        #[case] logits: [f32; 4],
        #[case] top_k: usize,
        #[case] top_p: f64,
        #[case] expected: &[usize],
    ) {
        // exp(z ln 2) = 2^z
        let sampling = sampling(std::f64::consts::LOG2_E, top_k, top_p);
        let found = sampling.probabilities(&logits).into_iter();
        assert_eq!(found.map(|(id, _)| id).collect::<Vec<_>>(), expected);
    }

    /// Of n draws, the share of a token of probability p has the deviation sqrt(p (1 - p) / n). Five
    /// of them are left to chance: for eight tokens, once in 200 000 seeds.
    #[rstest]
    #[case(1.0, 0, 1.0)]
    #[case(0.7, 5, 0.9)]
    #[case(3.0, 0, 0.8)]
    fn frequencies_are_the_probabilities(
        #[case] temperature: f64,
        #[case] top_k: usize,
        #[case] top_p: f64,
    ) {
        let sampling = sampling(temperature, top_k, top_p);
        let draws = 100_000;
        let mut sampler = Sampler::new(sampling).unwrap();
        let mut counts = [0; LOGITS.len()];
        for _ in 0..draws {
            counts[sampler.draw(&LOGITS)] += 1;
        }
        for (count, p) in counts.into_iter().zip(slowly(&sampling, &LOGITS)) {
            let share = f64::from(count) / f64::from(draws);
            let deviation = (p * (1.0 - p) / f64::from(draws)).sqrt();
            assert!((share - p).abs() <= 5.0 * deviation, "{share} for {p}");
        }
    }

    #[test]
    fn towards_a_temperature_of_0_the_likeliest_is_drawn() {
        for temperature in [1e-2, 1e-9, f64::MIN_POSITIVE] {
            let mut sampler = Sampler::new(sampling(temperature, 0, 1.0)).unwrap();
            assert!(
                (0..1000).all(|_| sampler.draw(&LOGITS) == 4),
                "{temperature}"
            );
        }
    }

    #[test]
    fn the_seed_decides_and_nothing_else() {
        let draw = |seed| {
            let sampling = Sampling {
                seed,
                ..Sampling::default()
            };
            let mut sampler = Sampler::new(sampling).unwrap();
            (0..40).map(|_| sampler.draw(&LOGITS)).collect::<Vec<_>>()
        };
        assert_eq!(draw(3), draw(3));
        assert_ne!(draw(3), draw(4));
    }

    #[rstest]
    #[case(0.0, 1.0, "temperature is 0")]
    #[case(-1.0, 1.0, "temperature is -1")]
    #[case(f64::NAN, 1.0, "temperature is NaN")]
    #[case(f64::INFINITY, 1.0, "temperature is inf")]
    #[case(1.0, 0.0, "top-p is 0")]
    #[case(1.0, 1.5, "top-p is 1.5")]
    #[case(1.0, f64::NAN, "top-p is NaN")]
    fn a_number_out_of_its_range_is_named(
        #[case] temperature: f64,
        #[case] top_p: f64,
        #[case] named: &str,
    ) {
        let error = Sampler::new(sampling(temperature, 0, top_p)).unwrap_err();
        assert!(error.to_string().contains(named), "{error}");
    }

    #[test]
    fn it_is_written_in_the_words_of_the_command_line() {
        let written = sampling(0.8, 50, 0.9).to_string();
        assert_eq!(written, "temperature 0.8, top-k 50, top-p 0.9, seed 11");
        assert_eq!(Sampling::default().to_string(), "temperature 1, seed 0");
    }
}
