//! How a target is measured.

use relprop_transformer::{Probabilities, log_sum_exp};
use serde::{Deserialize, Serialize};

/// How a target is measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Score {
    /// Its logit.
    #[default]
    Logit,
    /// The logarithm of its probability: why this, rather than anything else. Under a softmax, a
    /// difference of two is the difference of their logits.
    LogProbability,
    /// The entropy of the prediction, of all outputs: how undecided the model is, in nats.
    Entropy,
    /// The norm of the state that the last map to the outputs reads: how sure the model is, of whatever
    /// (Jacobian Scopes call it the temperature).
    Norm,
}

/// A target on the numbers that the head gives for one text.
pub(crate) struct Scored {
    pub(crate) value: f64,
    /// How much of each number flows into it: the gradient of the value.
    pub(crate) weights: Vec<f32>,
    /// What is absorbed on the way from the numbers to the value.
    pub(crate) absorbed: Vec<Lost>,
}

/// What is absorbed at one place between the numbers that a head gives and the value of a target.
pub(crate) struct Lost {
    /// What absorbs it, as a ledger has it.
    pub(crate) site: &'static str,
    pub(crate) kind: &'static str,
    /// What flows into it, less what comes out.
    pub(crate) amount: f64,
}

/// Numbers of which one, or each by itself, is right: the first of them, how far they stand from each
/// other, and how many they are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Choice {
    pub(crate) first: usize,
    pub(crate) step: usize,
    pub(crate) count: usize,
}

impl Choice {
    fn places(self) -> impl Iterator<Item = usize> {
        (0..self.count).map(move |index| self.first + index * self.step)
    }
}

impl Scored {
    /// What is absorbed is known from the value and its gradient.
    fn new(
        value: f64,
        weights: Vec<f32>,
        numbers: &[f32],
        absorbs: (&'static str, &'static str),
    ) -> Self {
        Self {
            value,
            absorbed: vec![Lost {
                site: absorbs.0,
                kind: absorbs.1,
                amount: product(&weights, numbers) - value,
            }],
            weights,
        }
    }

    /// The sum of numbers, each by its weight.
    pub(crate) fn sum(weights: Vec<f32>, numbers: &[f32]) -> Self {
        Self {
            value: product(&weights, numbers),
            weights,
            absorbed: Vec::new(),
        }
    }

    /// The logarithms of probabilities, each by its weight:
    ///
    /// ```text
    /// softmax   log p_t = z_t - log sum_j exp(z_j)     gradient  [j = t] - p_j
    /// sigmoid   log p_t = -log(1 + exp(-z_t))          gradient  1 - p_t
    /// ```
    ///
    /// Under a softmax, what is absorbed is the entropy of p.
    pub(crate) fn log_probability(
        weights: &[f32],
        numbers: &[f32],
        choices: &[Choice],
        probabilities: Probabilities,
    ) -> Self {
        let mut value = 0.0;
        let mut through = weights.to_vec();
        for choice in choices {
            let at = |place: usize| (f64::from(weights[place]), f64::from(numbers[place]));
            let sum: f64 = choice.places().map(|place| at(place).0).sum();
            let logarithm = match probabilities {
                Probabilities::Sigmoid | Probabilities::None => 0.0,
                // Of a difference, the logarithms cancel.
                Probabilities::Softmax if sum == 0.0 => 0.0,
                Probabilities::Softmax => choice.log_sum_exp(numbers),
            };
            for place in choice.places() {
                let (w, z) = at(place);
                match probabilities {
                    Probabilities::Sigmoid => {
                        let log = log_sigmoid(z);
                        value += w * log;
                        through[place] = (w * (1.0 - log.exp())) as f32;
                    }
                    Probabilities::Softmax if sum != 0.0 => {
                        value += w * (z - logarithm);
                        through[place] = (w - sum * (z - logarithm).exp()) as f32;
                    }
                    Probabilities::Softmax | Probabilities::None => value += w * z,
                }
            }
        }
        Self::new(value, through, numbers, ("log-probability", "entropy"))
    }

    /// The entropy of each choice, and their sum:
    ///
    /// ```text
    /// softmax   H = - sum_j p_j log p_j                              gradient  - p_j (log p_j + H)
    /// sigmoid   H = - sum_j p_j log p_j + (1 - p_j) log (1 - p_j)    gradient  - z_j p_j (1 - p_j)
    /// ```
    pub(crate) fn entropy(
        numbers: &[f32],
        choices: &[Choice],
        probabilities: Probabilities,
    ) -> Self {
        let mut value = 0.0;
        let mut weights = vec![0.0; numbers.len()];
        for choice in choices {
            if probabilities == Probabilities::Sigmoid {
                for place in choice.places() {
                    let z = f64::from(numbers[place]);
                    let (log, log_not) = (log_sigmoid(z), log_sigmoid(-z));
                    let (p, not) = (log.exp(), log_not.exp());
                    value -= p * log + not * log_not;
                    weights[place] = (-z * p * not) as f32;
                }
                continue;
            }
            let logarithm = choice.log_sum_exp(numbers);
            let log = |place: usize| f64::from(numbers[place]) - logarithm;
            // A probability of zero adds nothing.
            let product = |p: f64, by: f64| if p == 0.0 { 0.0 } else { p * by };
            let terms = choice
                .places()
                .map(|place| product(log(place).exp(), log(place)));
            let entropy = -terms.sum::<f64>();
            for place in choice.places() {
                weights[place] = -product(log(place).exp(), log(place) + entropy) as f32;
            }
            value += entropy;
        }
        let kind = match probabilities {
            Probabilities::Sigmoid => "sigmoid",
            Probabilities::Softmax | Probabilities::None => "softmax",
        };
        Self::new(value, weights, numbers, ("entropy", kind))
    }

    /// The norms of some of the states, of `width` numbers each, and their sum. The gradient of a norm
    /// `|h|` is `h / |h|`, and `h h / |h| = |h|`, so nothing is absorbed.
    pub(crate) fn norm(states: &[f32], width: usize, of: &[usize]) -> Self {
        let mut value = 0.0;
        let mut weights = vec![0.0; states.len()];
        for &index in of {
            let places = index * width..(index + 1) * width;
            let squares = states[places.clone()].iter().map(|h| f64::from(*h).powi(2));
            let norm = squares.sum::<f64>().sqrt();
            value += norm;
            for place in places.filter(|_| norm > 0.0) {
                weights[place] = (f64::from(states[place]) / norm) as f32;
            }
        }
        Self {
            value,
            weights,
            absorbed: Vec::new(),
        }
    }
}

impl Choice {
    fn log_sum_exp(self, numbers: &[f32]) -> f64 {
        let numbers: Vec<f32> = self.places().map(|place| numbers[place]).collect();
        log_sum_exp(&numbers)
    }
}

/// `log (1 / (1 + exp(-z)))`, without an overflow on either side.
fn log_sigmoid(z: f64) -> f64 {
    z.min(0.0) - (-z.abs()).exp().ln_1p()
}

fn product(weights: &[f32], numbers: &[f32]) -> f64 {
    let terms = weights.iter().zip(numbers);
    terms.map(|(w, z)| f64::from(*w) * f64::from(*z)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Probabilities; 2] = [Probabilities::Softmax, Probabilities::Sigmoid];

    /// Two answers of three numbers each, or three numbers at each of two tokens.
    fn choices() -> [Vec<Choice>; 2] {
        let choice = |first, step, count| Choice { first, step, count };
        [
            vec![choice(0, 1, 3), choice(3, 1, 3)],
            vec![choice(0, 2, 3), choice(1, 2, 3)],
        ]
    }

    /// Values and gradients against central differences.
    fn check(numbers: &[f32], score: &dyn Fn(&[f32]) -> Scored) {
        let found = score(numbers);
        for index in 0..numbers.len() {
            let at = |step: f32| {
                let mut moved = numbers.to_vec();
                moved[index] += step;
                score(&moved).value
            };
            let slope = (at(1e-2) - at(-1e-2)) / 2e-2;
            let error = (slope - f64::from(found.weights[index])).abs();
            assert!(error < 1e-4, "{index}: {error:.1e}");
        }
        let sum = product(&found.weights, numbers);
        let absorbed: f64 = found.absorbed.iter().map(|lost| lost.amount).sum();
        assert!((sum - absorbed - found.value).abs() < 1e-5);
    }

    const NUMBERS: [f32; 6] = [0.3, -1.2, 2.0, 0.0, 5.0, -4.0];

    #[test]
    fn a_gradient_is_that_of_its_value() {
        for probabilities in ALL {
            for choices in choices() {
                for weights in [[0., 1., 0., 1., 0., 0.], [1., -1., 0., 0., 0., 1.]] {
                    check(&NUMBERS, &|numbers| {
                        Scored::log_probability(&weights, numbers, &choices, probabilities)
                    });
                }
                check(&NUMBERS, &|numbers| {
                    Scored::entropy(numbers, &choices, probabilities)
                });
            }
        }
        check(&NUMBERS, &|states| Scored::norm(states, 2, &[0, 2]));
        let found = Scored::norm(&NUMBERS, 2, &[0, 2]);
        assert!((product(&found.weights, &NUMBERS) - found.value).abs() < 1e-5);
    }

    #[test]
    fn numbers_far_from_zero_stay_numbers() {
        let choice = [Choice {
            first: 0,
            step: 1,
            count: 2,
        }];
        let numbers = [800.0, -800.0];
        let found = Scored::log_probability(&[1.0, 1.0], &numbers, &choice, Probabilities::Sigmoid);
        assert_eq!((found.value, found.weights), (-800.0, vec![0.0, 1.0]));
        for probabilities in ALL {
            let found = Scored::entropy(&numbers, &choice, probabilities);
            assert_eq!(
                (found.value, found.weights),
                (0.0, vec![0.0, 0.0]),
                "{probabilities:?}"
            );
        }
        // A mask, and a state of nothing.
        let masked = Scored::entropy(&[1.0, f32::NEG_INFINITY], &choice, Probabilities::Softmax);
        assert_eq!(masked.weights, [0.0, 0.0]);
        assert_eq!(Scored::norm(&[0.0, 0.0], 2, &[0]).weights, [0.0, 0.0]);
    }

    /// Equal logits are the least decided: `log n`.
    #[test]
    fn the_entropy_of_equal_logits_is_the_largest() {
        let choice = [Choice {
            first: 0,
            step: 1,
            count: 4,
        }];
        let found = Scored::entropy(&[7.0; 4], &choice, Probabilities::Softmax);
        assert!((found.value - 4_f64.ln()).abs() < 1e-12);
        assert!(found.weights.iter().all(|weight| weight.abs() < 1e-7));
    }
}
