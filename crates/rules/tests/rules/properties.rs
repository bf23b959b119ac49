//! The rules for linear maps on any shape, with zeros, ties and sums that cancel exactly.
//!
//! All numbers are eighths. So sums of products are exact, and an output that is zero by arithmetic
//! is zero here too: the laws jump there, and rounding would decide which side they are on.

use burn::tensor::DType;
use proptest::prelude::*;
use relprop_rules::operations::Linear;
use relprop_rules::{Pass, Registry, RuleSet};

use super::support::{explain, numbers, tensor};

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

    fn explained(&self, rule: &str, dtype: DType) -> Vec<f64> {
        let toml = format!("name = \"one\"\n[[rules]]\noperation = \"linear\"\n{rule}");
        let linear = Linear {
            weight: tensor(&self.weight, [self.inputs, self.outputs], dtype),
            bias: Some(tensor(&self.bias, [self.outputs], dtype)),
        };
        let rules = RuleSet::from_toml(&toml).unwrap();
        let mut found = explain(&rules, &Registry::default(), &["x"], |pass: &mut Pass| {
            let x = pass.signal("x", tensor::<3>(&self.x, [1, 1, self.inputs], dtype));
            let z = pass.apply("map", &linear, x);
            (z * tensor(&self.upstream, [1, 1, self.outputs], dtype)).sum()
        });
        numbers::<3>(found.take("x").unwrap())
    }

    fn agrees(&self, rule: &str, expected: &[f64]) -> Result<(), TestCaseError> {
        let largest = expected.iter().fold(1e-3_f64, |m, r| m.max(r.abs()));
        for (dtype, tolerance) in [(DType::F64, 1e-10), (DType::F32, 1e-5)] {
            let found = self.explained(rule, dtype);
            for (found, expected) in found.iter().zip(expected) {
                prop_assert!(
                    (found - expected).abs() < tolerance * largest,
                    "{} in {:?}: {} instead of {}",
                    rule,
                    dtype,
                    found,
                    expected
                );
            }
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..Default::default() })]

    #[test]
    fn every_linear_rule_equals_its_formula(case in case(), gamma in 0.0..4.0_f64) {
        let plain = case.twin(|part, _| part, 0.1);
        case.agrees("rule = \"epsilon\"\nepsilon = 0.1", &plain)?;

        let favoured = |part: f64, z: f64| {
            let agrees = part * (if z < 0.0 { -1.0 } else { 1.0 }) > 0.0;
            part * (1.0 + if agrees { gamma } else { 0.0 })
        };
        let expected = case.twin(favoured, 0.0);
        case.agrees(&format!("rule = \"gamma\"\ngamma = {gamma}"), &expected)?;

        let positive = case.twin(|part, _| part.max(0.0), 0.0);
        case.agrees("rule = \"z-plus\"", &positive)?;
        let negative = case.twin(|part, _| part.min(0.0), 0.0);
        let pairs = positive.iter().zip(&negative);
        let both: Vec<f64> = pairs.map(|(up, down)| 2.0 * up - down).collect();
        case.agrees("rule = \"alpha-beta\"\nalpha = 2.0\nbeta = 1.0", &both)?;
    }
}
