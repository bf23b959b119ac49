//! In which unit a target is measured.

use relprop_transformer::{Probabilities, log_sum_exp};
use serde::{Deserialize, Serialize};

/// In which unit a target is measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Score {
    /// Its logit.
    #[default]
    Logit,
    /// The logarithm of its probability: why this, rather than anything else. Under a softmax, a
    /// difference of two is the difference of their logits.
    LogProbability,
}

/// A target on the numbers that the head gives for one text.
pub(crate) struct Scored {
    pub(crate) value: f64,
    /// How much of each number flows into it: the gradient of the value.
    pub(crate) weights: Vec<f32>,
    /// What the score absorbs on the way from the numbers to the value: what flows into it, less the
    /// value.
    pub(crate) absorbed: f64,
}

impl Score {
    /// The value of a target that takes so much of each number, at answers of `outputs` numbers each:
    ///
    /// ```text
    /// softmax   log p_t = z_t - log sum_j exp(z_j)     gradient  [j = t] - p_j
    /// sigmoid   log p_t = -log(1 + exp(-z_t))          gradient  1 - p_t
    /// ```
    ///
    /// Under a softmax, what is absorbed is the entropy of p.
    pub(crate) fn of(
        self,
        weights: Vec<f32>,
        numbers: &[f32],
        outputs: usize,
        probabilities: Probabilities,
    ) -> Scored {
        let product = |weights: &[f32]| -> f64 {
            let terms = weights.iter().zip(numbers);
            terms.map(|(w, z)| f64::from(*w) * f64::from(*z)).sum()
        };
        let plain = product(&weights);
        if self == Self::Logit || probabilities == Probabilities::None {
            return Scored {
                value: plain,
                weights,
                absorbed: 0.0,
            };
        }
        let mut value = 0.0;
        let mut through = Vec::with_capacity(weights.len());
        for (weights, numbers) in weights.chunks(outputs).zip(numbers.chunks(outputs)) {
            let sum: f64 = weights.iter().copied().map(f64::from).sum();
            if probabilities == Probabilities::Softmax && sum == 0.0 {
                through.extend_from_slice(weights);
                value += weights
                    .iter()
                    .zip(numbers)
                    .map(|(w, z)| f64::from(*w) * f64::from(*z))
                    .sum::<f64>();
                continue;
            }
            let logarithm = log_sum_exp(numbers);
            for (w, z) in weights.iter().zip(numbers) {
                let (w, z) = (f64::from(*w), f64::from(*z));
                match probabilities {
                    Probabilities::Sigmoid => {
                        // log sigmoid(z), without an overflow on either side.
                        let log = z.min(0.0) - (-z.abs()).exp().ln_1p();
                        value += w * log;
                        through.push((w * (1.0 - log.exp())) as f32);
                    }
                    _ => {
                        value += w * (z - logarithm);
                        through.push((w - sum * (z - logarithm).exp()) as f32);
                    }
                }
            }
        }
        let absorbed = product(&through) - value;
        Scored {
            value,
            weights: through,
            absorbed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values and gradients against central differences, at two answers of three numbers.
    #[test]
    fn a_gradient_is_that_of_its_value() {
        let numbers = [0.3_f32, -1.2, 2.0, 0.0, 5.0, -4.0];
        for probabilities in [Probabilities::Softmax, Probabilities::Sigmoid] {
            for weights in [[0., 1., 0., 1., 0., 0.], [1., -1., 0., 0., 0., 1.]] {
                let score = |numbers: &[f32]| {
                    Score::LogProbability.of(weights.to_vec(), numbers, 3, probabilities)
                };
                let found = score(&numbers);
                for index in 0..numbers.len() {
                    let at = |step: f32| {
                        let mut moved = numbers;
                        moved[index] += step;
                        score(&moved).value
                    };
                    let slope = (at(1e-2) - at(-1e-2)) / 2e-2;
                    let error = (slope - f64::from(found.weights[index])).abs();
                    assert!(error < 1e-4, "{probabilities:?} {index}: {error:.1e}");
                }
                let through = found.weights.iter().zip(&numbers);
                let sum: f64 = through.map(|(w, z)| f64::from(w * z)).sum();
                assert!((sum - found.absorbed - found.value).abs() < 1e-5);
            }
        }
    }

    #[test]
    fn a_sigmoid_far_from_zero_is_a_number() {
        let numbers = [800.0, -800.0];
        let found = Score::LogProbability.of(vec![1.0, 1.0], &numbers, 2, Probabilities::Sigmoid);
        assert_eq!((found.value, found.weights), (-800.0, vec![0.0, 1.0]));
    }
}
