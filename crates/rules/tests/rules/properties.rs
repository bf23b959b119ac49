//! The rules on any shape, with zeros, ties and sums that cancel exactly.
//!
//! Most numbers are eighths. So sums of products are exact, and an output that is zero by arithmetic
//! is zero here too: the laws jump there, and rounding would decide which side they are on.

use burn::tensor::Tensor;
use proptest::prelude::*;
use relprop_rules::operations::{
    Activation, AttentionMix, AttentionScores, Gate, Linear, Norm, Residual,
};
use relprop_rules::{Operation, Pass, Registry, RuleSet};

use super::linear_twins::phi;
use super::support::{Draw, PLACES, Place, explain, numbers};

/// Every place, and how far it may be off.
fn places() -> impl Iterator<Item = (Place, f64)> {
    PLACES.iter().map(|place| (*place, place.tolerance()))
}

#[derive(Debug)]
struct Case {
    inputs: usize,
    outputs: usize,
    x: Vec<f64>,
    weight: Vec<f64>,
    bias: Vec<f64>,
    upstream: Vec<f64>,
}

fn eighths(count: usize) -> impl Strategy<Value = Vec<f64>> {
    // A third of all numbers is zero.
    let eighth = prop_oneof![1 => Just(0), 2 => -8..=8_i32];
    prop::collection::vec(eighth.prop_map(|k| f64::from(k) / 8.0), count)
}

fn case() -> impl Strategy<Value = Case> {
    (1..10_usize, 1..10_usize).prop_flat_map(|(inputs, outputs)| {
        let parts = (
            eighths(inputs),
            eighths(inputs * outputs),
            eighths(outputs),
            eighths(outputs),
        );
        parts.prop_map(move |(x, weight, bias, upstream)| Case {
            inputs,
            outputs,
            x,
            weight,
            bias,
            upstream,
        })
    })
}

impl Case {
    fn parts(&self, j: usize) -> Vec<f64> {
        let part = |i: usize| self.x[i] * self.weight[i * self.outputs + j];
        (0..self.inputs).map(part).collect()
    }

    /// R(x), when `share` gives a contribution's weight, and all weights of an output (and that of
    /// its bias) add up to what the relevance is divided by.
    fn twin(&self, weigh: impl Fn(f64, f64) -> f64, epsilon: f64) -> Vec<f64> {
        let mut relevance = vec![0.0; self.inputs];
        for j in 0..self.outputs {
            let parts = self.parts(j);
            let z = parts.iter().sum::<f64>() + self.bias[j];
            let weights: Vec<f64> = parts.iter().map(|part| weigh(*part, z)).collect();
            let sign = if z < 0.0 { -1.0 } else { 1.0 };
            let all = weights.iter().sum::<f64>() + weigh(self.bias[j], z) + epsilon * sign;
            if all != 0.0 {
                for (i, weight) in weights.iter().enumerate() {
                    relevance[i] += weight / all * z * self.upstream[j];
                }
            }
        }
        relevance
    }

    /// R(x) when `weigh` says from a weight alone what its input gets; zeros hold nothing.
    fn twin_by_weights(&self, weigh: impl Fn(f64) -> f64) -> Vec<f64> {
        let mut relevance = vec![0.0; self.inputs];
        for j in 0..self.outputs {
            let weights = (0..self.inputs).map(|i| weigh(self.weight[i * self.outputs + j]));
            let weights: Vec<f64> = weights.collect();
            let all: f64 = weights.iter().sum();
            let z = self.parts(j).iter().sum::<f64>() + self.bias[j];
            for (i, weight) in weights.iter().enumerate() {
                if all != 0.0 && self.x[i] != 0.0 {
                    relevance[i] += weight / all * z * self.upstream[j];
                }
            }
        }
        relevance
    }

    /// R(x) when positive weights count 1 + gamma times, whatever the sign of the input.
    fn twin_of_gamma_positive(&self, gamma: f64) -> Vec<f64> {
        let favored = |w: f64| w + gamma * w.max(0.0);
        let mut relevance = vec![0.0; self.inputs];
        for j in 0..self.outputs {
            let part = |i: usize| self.x[i] * favored(self.weight[i * self.outputs + j]);
            let g = (0..self.inputs).map(part).sum::<f64>() + favored(self.bias[j]);
            let z = self.parts(j).iter().sum::<f64>() + self.bias[j];
            for (i, relevance) in relevance.iter_mut().enumerate() {
                if g != 0.0 {
                    *relevance += part(i) / g * z * self.upstream[j];
                }
            }
        }
        relevance
    }

    fn explained(&self, rule: &str, place: Place) -> Vec<f64> {
        let toml = format!("name = \"one\"\n[[rules]]\noperation = \"linear\"\n{rule}");
        let linear = Linear {
            weight: place.tensor(&self.weight, [self.inputs, self.outputs]),
            bias: Some(place.tensor(&self.bias, [self.outputs])),
        };
        let rules = RuleSet::from_toml(&toml).unwrap();
        let mut found = explain(&rules, &Registry::default(), &["x"], |pass: &mut Pass| {
            let x = pass.signal("x", place.tensor::<3>(&self.x, [1, 1, self.inputs]));
            let z = pass.apply("map", &linear, x);
            (z * place.tensor(&self.upstream, [1, 1, self.outputs])).sum()
        });
        numbers::<3>(found.take("x").unwrap())
    }

    fn agrees(&self, rule: &str, expected: &[f64]) -> Result<(), TestCaseError> {
        // Shares may cancel: rounding is measured against the largest relevance that is shared out.
        let of_z = |j: usize| {
            let z = self.parts(j).iter().sum::<f64>() + self.bias[j];
            (z * self.upstream[j]).abs()
        };
        let shared = (0..self.outputs).map(of_z).fold(0.0, f64::max);
        let largest = expected.iter().fold(shared, |m, r| m.max(r.abs()));
        for (place, tolerance) in places() {
            let found = self.explained(rule, place);
            for (found, expected) in found.iter().zip(expected) {
                prop_assert!(
                    (found - expected).abs() <= tolerance * largest,
                    "{} in {:?}: {} instead of {}",
                    rule,
                    place,
                    found,
                    expected
                );
            }
        }
        Ok(())
    }
}

/// Runs an operation on one row under `rule`.
fn elementwise<O>(
    operation: &O,
    rule: &str,
    x: &[f64],
    upstream: &[f64],
    expected: &[f64],
) -> Result<(), TestCaseError>
where
    O: Operation<Input = Tensor<3>, Output = Tensor<3>>,
{
    let shape = [1, 1, x.len()];
    let toml = format!("name = \"one\"\n[[rules]]\nrule = \"{rule}\"");
    let rules = RuleSet::from_toml(&toml).unwrap();
    let largest = expected.iter().fold(1e-3_f64, |m, r| m.max(r.abs()));
    for (place, tolerance) in places() {
        let mut found = explain(&rules, &Registry::default(), &["x"], |pass: &mut Pass| {
            let x = pass.signal("x", place.tensor(x, shape));
            let y = pass.apply("here", operation, x);
            (y * place.tensor(upstream, shape)).sum()
        });
        let found = numbers::<3>(found.take("x").unwrap());
        for (found, expected) in found.iter().zip(expected) {
            prop_assert!((found - expected).abs() < tolerance * largest);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(super::support::properties(300))]

    #[test]
    fn every_linear_rule_equals_its_formula(case in case(), gamma in 0.0..4.0_f64) {
        let plain = case.twin(|part, _| part, 0.1);
        case.agrees("rule = \"epsilon\"\nepsilon = 0.1", &plain)?;

        let favored = |part: f64, z: f64| {
            let agrees = part * (if z < 0.0 { -1.0 } else { 1.0 }) > 0.0;
            part * (1.0 + if agrees { gamma } else { 0.0 })
        };
        let expected = case.twin(favored, 0.0);
        case.agrees(&format!("rule = \"gamma\"\ngamma = {gamma}"), &expected)?;

        let positive = case.twin(|part, _| part.max(0.0), 0.0);
        case.agrees("rule = \"z-plus\"", &positive)?;
        let negative = case.twin(|part, _| part.min(0.0), 0.0);
        let pairs = positive.iter().zip(&negative);
        let both: Vec<f64> = pairs.map(|(up, down)| 2.0 * up - down).collect();
        case.agrees("rule = \"alpha-beta\"\nalpha = 2.0\nbeta = 1.0", &both)?;

        let squares = case.twin_by_weights(|weight| weight * weight);
        case.agrees("rule = \"w-squared\"", &squares)?;
        case.agrees("rule = \"flat\"", &case.twin_by_weights(|_| 1.0))?;
        case.agrees("rule = \"gamma-positive\"\ngamma = 0.25", &case.twin_of_gamma_positive(0.25))?;
    }

    #[test]
    fn the_identity_rule_equals_its_formula(
        // Below, 1 + tanh and 1 + erf cancel: f32 has few digits of phi(z) itself.
        terms in prop::collection::vec((-2.0..6.0_f64, -8..=8_i32), 1..20),
        activation in prop::sample::select(Activation::ALL.to_vec()),
    ) {
        let z: Vec<f64> = terms.iter().map(|(z, _)| f64::from(*z as f32)).collect();
        let upstream: Vec<f64> = terms.iter().map(|(_, u)| f64::from(*u) / 8.0).collect();
        // R(z) = R(y)
        let pairs = z.iter().zip(&upstream);
        let expected: Vec<f64> = pairs.map(|(z, u)| phi(activation, *z) * u).collect();
        elementwise(&activation, "identity", &z, &upstream, &expected)?;
    }

    #[test]
    fn a_norm_with_constant_moments_equals_its_formula(
        x in eighths(12),
        upstream in eighths(12),
        epsilon in prop_oneof![Just(1e-3), Just(0.1), Just(10.0)],
    ) {
        let mean = x.iter().sum::<f64>() / 12.0;
        let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 12.0;
        let scale = (variance + epsilon).sqrt().recip();
        // R(x_i) = x_i / (x_i - mean) R(y_i), where R(y_i) = (x_i - mean) scale u_i. The quotient is
        // cancelled, so that x_i = mean needs no case of its own.
        let pairs = x.iter().zip(&upstream);
        let expected: Vec<f64> = pairs.map(|(x, u)| x * scale * u).collect();
        elementwise(&Norm::plain(epsilon), "detach-moments", &x, &upstream, &expected)?;
    }

    #[test]
    fn the_products_of_attention_are_shared_evenly(
        rows in 1..6_usize, inner in 1..6_usize, columns in 1..6_usize, seed in 0..1_000_000_u64,
    ) {
        let mut draw = Draw::new(seed);
        let a = draw.numbers(rows * inner);
        let b = draw.numbers(inner * columns);
        let upstream = draw.numbers(rows * columns);
        let (mut of_a, mut of_b) = (vec![0.0; a.len()], vec![0.0; b.len()]);
        for i in 0..rows {
            for k in 0..inner {
                for j in 0..columns {
                    let (at_a, at_b) = (i * inner + k, k * columns + j);
                    let part = a[at_a] * b[at_b] * upstream[i * columns + j] / 2.0;
                    of_a[at_a] += part;
                    of_b[at_b] += part;
                }
            }
        }
        for (place, tolerance) in places() {
            // Scores multiply by the transpose of what they are given.
            for scores in [false, true] {
                let rules = "name = \"one\"\n[[rules]]\nrule = \"half\"";
                let rules = RuleSet::from_toml(rules).unwrap();
                let model = |pass: &mut Pass| {
                    let a = pass.signal("a", place.tensor::<4>(&a, [1, 1, rows, inner]));
                    let b = pass.signal("b", place.tensor::<4>(&b, [1, 1, inner, columns]));
                    let y = if scores {
                        let operation = AttentionScores { scale: 1.0 };
                        pass.apply("here", &operation, (a, b.swap_dims(2, 3)))
                    } else {
                        pass.apply("here", &AttentionMix, (a, b))
                    };
                    (y * place.tensor(&upstream, [1, 1, rows, columns])).sum()
                };
                let mut found = explain(&rules, &Registry::default(), &["a", "b"], model);
                for (site, expected) in [("a", &of_a), ("b", &of_b)] {
                    let found = numbers::<4>(found.take(site).unwrap());
                    for (found, expected) in found.iter().zip(expected) {
                        prop_assert!((found - expected).abs() < tolerance);
                    }
                }
            }
        }
    }

    #[test]
    fn every_rule_for_two_terms_equals_its_formula(
        terms in prop::collection::vec((eighths(2), -8..=8_i32), 1..20),
    ) {
        let (a, b): (Vec<f64>, Vec<f64>) = terms.iter().map(|(t, _)| (t[0], t[1])).unzip();
        let upstream: Vec<f64> = terms.iter().map(|(_, u)| f64::from(*u) / 8.0).collect();
        let shape = [1, 1, terms.len()];
        // What each term of the sum x + b, or factor of the product, gets of R(y).
        let share = |rule: &str, a: f64, b: f64| -> [f64; 2] {
            let of = |part: f64, whole: f64| if whole == 0.0 { 0.0 } else { part / whole };
            let half = |x: f64| if x == 0.0 { 0.0 } else { 0.5 };
            match rule {
                "ratio" => [of(a.abs(), a.abs() + b.abs()), of(b.abs(), a.abs() + b.abs())],
                "symmetric" => [half(a), half(b)],
                "half" => [0.5, 0.5],
                _ => [0.0, 1.0],
            }
        };
        for (rule, is_sum) in
            [("ratio", true), ("symmetric", true), ("half", false), ("detach", false)]
        {
            for (place, tolerance) in places() {
                let model = |pass: &mut Pass| {
                    let a = pass.signal("a", place.tensor::<3>(&a, shape));
                    let b = pass.signal("b", place.tensor::<3>(&b, shape));
                    let y = if is_sum {
                        pass.apply("here", &Residual, (a, b))
                    } else {
                        pass.apply("here", &Gate, (a, b))
                    };
                    (y * place.tensor(&upstream, shape)).sum()
                };
                let toml = format!("name = \"one\"\n[[rules]]\nrule = \"{rule}\"");
                let rules = RuleSet::from_toml(&toml).unwrap();
                let mut found = explain(&rules, &Registry::default(), &["a", "b"], model);
                let found = ["a", "b"].map(|site| numbers::<3>(found.take(site).unwrap()));
                for (place, u) in upstream.iter().enumerate() {
                    let (a, b) = (a[place], b[place]);
                    let y = if is_sum { a + b } else { a * b };
                    for (found, share) in found.iter().zip(share(rule, a, b)) {
                        prop_assert!((found[place] - share * y * u).abs() < tolerance);
                    }
                }
            }
        }
    }
}
