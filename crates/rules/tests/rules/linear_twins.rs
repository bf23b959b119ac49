//! The rules for linear maps and activations against twins written with plain loops, and what each
//! rule loses against its formula.

use burn::tensor::Tensor;
use relprop_rules::operations::{Activation, Linear};
use relprop_rules::{Pass, Registry, RuleSet};
use rstest::rstest;

use super::support::{Draw, PLACES, Place, difference, explain, numbers};

const TOKENS: usize = 3;

/// A linear map, its input and what the target takes of each output.
struct Case {
    inputs: usize,
    outputs: usize,
    /// `[token, input]`
    x: Vec<f64>,
    /// `[input, output]`
    weight: Vec<f64>,
    bias: Vec<f64>,
    /// `[token, output]`: the gradient of the target.
    upstream: Vec<f64>,
}

impl Case {
    fn new(inputs: usize, outputs: usize, bias: bool, seed: u64) -> Self {
        let mut draw = Draw::new(seed);
        let mut x = draw.numbers(TOKENS * inputs);
        // Zeros and ties are ordinary numbers to a rule.
        x[0] = 0.0;
        x[inputs - 1] = x[inputs / 2];
        let bias = if bias {
            draw.numbers(outputs)
        } else {
            vec![0.0; outputs]
        };
        Self {
            inputs,
            outputs,
            x,
            weight: draw.numbers(inputs * outputs),
            bias,
            upstream: draw.numbers(TOKENS * outputs),
        }
    }

    /// The contribution x_i W_ij of input i to output j.
    fn part(&self, token: usize, i: usize, j: usize) -> f64 {
        self.x[token * self.inputs + i] * self.weight[i * self.outputs + j]
    }

    fn z(&self, token: usize, j: usize) -> f64 {
        (0..self.inputs)
            .map(|i| self.part(token, i, j))
            .sum::<f64>()
            + self.bias[j]
    }

    /// R(z_j): the output times the gradient there.
    fn r(&self, token: usize, j: usize) -> f64 {
        self.z(token, j) * self.upstream[token * self.outputs + j]
    }

    /// R(x), when `share` says which part of R(z_j) a contribution gets.
    fn relevance(&self, share: impl Fn(usize, f64, usize) -> f64) -> Vec<f64> {
        let mut relevance = vec![0.0; TOKENS * self.inputs];
        for token in 0..TOKENS {
            for i in 0..self.inputs {
                for j in 0..self.outputs {
                    let share = share(token, self.part(token, i, j), j);
                    relevance[token * self.inputs + i] += share * self.r(token, j);
                }
            }
        }
        relevance
    }

    /// The sum over tokens and outputs of what `lost` says of R(z_j).
    fn loss(&self, lost: impl Fn(usize, usize) -> f64) -> f64 {
        let outputs = || (0..TOKENS).flat_map(|t| (0..self.outputs).map(move |j| (t, j)));
        outputs().map(|(t, j)| lost(t, j) * self.r(t, j)).sum()
    }

    /// The sum of all contributions to output j of which `chosen` is true, the bias among them.
    fn sum_of(&self, token: usize, j: usize, chosen: impl Fn(f64) -> bool) -> f64 {
        let parts = (0..self.inputs).map(|i| self.part(token, i, j));
        parts
            .chain([self.bias[j]])
            .filter(|part| chosen(*part))
            .sum()
    }

    /// What the crate gives under `rule`.
    fn explained(&self, rule: &str, place: Place) -> Vec<f64> {
        let rules = RuleSet::from_toml(&format!(
            "name = \"one\"\n[[rules]]\noperation = \"linear\"\n{rule}"
        ))
        .unwrap();
        let linear = Linear {
            weight: place.tensor(&self.weight, [self.inputs, self.outputs]),
            bias: self
                .bias
                .iter()
                .any(|b| *b != 0.0)
                .then(|| place.tensor(&self.bias, [self.outputs])),
        };
        let mut relevance = explain(&rules, &Registry::default(), &["x"], |pass: &mut Pass| {
            let x = place.tensor(&self.x, [1, TOKENS, self.inputs]);
            let x = pass.signal("x", x);
            let z = pass.apply("map", &linear, x);
            (z * place.tensor(&self.upstream, [1, TOKENS, self.outputs])).sum()
        });
        numbers::<3>(relevance.take("x").unwrap())
    }

    fn agrees(&self, rule: &str, expected: &[f64], lost: f64) {
        for &place in PLACES {
            let found = self.explained(rule, place);
            let error = difference(&found, expected);
            assert!(
                error < place.tolerance(),
                "{rule} in {place:?}: {error:.1e}"
            );
        }
        // What the outputs hold and the inputs do not.
        let all: f64 = self.loss(|_, _| 1.0);
        let kept: f64 = self.explained(rule, Place::F64).iter().sum();
        let scale = expected.iter().map(|r| r.abs()).sum::<f64>();
        let error = (all - kept - lost).abs() / scale;
        assert!(error < 1e-10, "{rule}: the loss is off by {error:.1e}");
    }
}

fn sign(x: f64) -> f64 {
    if x < 0.0 { -1.0 } else { 1.0 }
}

#[rstest]
fn the_plain_gradient_of_a_linear_map_is_lrp_0(
    #[values((2, 1), (6, 5), (17, 9))] (inputs, outputs): (usize, usize),
    #[values(false, true)] bias: bool,
    #[values(0, 1, 2)] seed: u64,
) {
    let case = Case::new(inputs, outputs, bias, seed);
    let expected = case.relevance(|t, part, j| part / case.z(t, j));
    let lost = case.loss(|t, j| case.bias[j] / case.z(t, j));
    case.agrees("rule = \"gradient\"", &expected, lost);
}

#[rstest]
fn the_epsilon_rule_equals_its_formula(
    #[values((2, 1), (6, 5), (17, 9))] (inputs, outputs): (usize, usize),
    #[values(false, true)] bias: bool,
    #[values(1e-6, 0.1, 10.0)] epsilon: f64,
    #[values(0, 1)] seed: u64,
) {
    let case = Case::new(inputs, outputs, bias, seed);
    let stabilized = |t, j| case.z(t, j) + epsilon * sign(case.z(t, j));
    let expected = case.relevance(|t, part, j| part / stabilized(t, j));
    let lost = case.loss(|t, j| (case.bias[j] + epsilon * sign(case.z(t, j))) / stabilized(t, j));
    case.agrees(
        &format!("rule = \"epsilon\"\nepsilon = {epsilon}"),
        &expected,
        lost,
    );
}

#[rstest]
fn the_gamma_rule_equals_its_formula(
    #[values((2, 1), (6, 5), (17, 9))] (inputs, outputs): (usize, usize),
    #[values(false, true)] bias: bool,
    #[values(0.0, 0.25, 100.0)] gamma: f64,
    #[values(0, 1)] seed: u64,
) {
    let case = Case::new(inputs, outputs, bias, seed);
    let favored = |t, j, part: f64| {
        let agrees = part * sign(case.z(t, j)) > 0.0;
        part * (1.0 + if agrees { gamma } else { 0.0 })
    };
    let g = |t, j| {
        let parts = (0..case.inputs).map(|i| favored(t, j, case.part(t, i, j)));
        parts.sum::<f64>() + favored(t, j, case.bias[j])
    };
    let expected = case.relevance(|t, part, j| favored(t, j, part) / g(t, j));
    let lost = case.loss(|t, j| favored(t, j, case.bias[j]) / g(t, j));
    case.agrees(
        &format!("rule = \"gamma\"\ngamma = {gamma}"),
        &expected,
        lost,
    );
}

#[rstest]
#[case("rule = \"alpha-beta\"\nalpha = 2.0\nbeta = 1.0", 1.0)]
#[case("rule = \"alpha-beta\"\nalpha = 1.5\nbeta = 0.5", 0.5)]
#[case("rule = \"z-plus\"", 0.0)]
fn the_alpha_beta_and_z_plus_rules_equal_their_formula(
    #[case] rule: &str,
    #[case] beta: f64,
    #[values((2, 1), (6, 5), (17, 9))] (inputs, outputs): (usize, usize),
    #[values(false, true)] bias: bool,
    #[values(0, 1)] seed: u64,
) {
    let case = Case::new(inputs, outputs, bias, seed);
    // The share of a contribution among those of its sign; 0 if there are none.
    let share = |t, j, part: f64| {
        let (weight, sum) = if part > 0.0 {
            (1.0 + beta, case.sum_of(t, j, |part| part > 0.0))
        } else {
            (-beta, case.sum_of(t, j, |part| part < 0.0))
        };
        if part == 0.0 {
            0.0
        } else {
            weight * part / sum
        }
    };
    let expected = case.relevance(|t, part, j| share(t, j, part));
    let lost = case.loss(|t, j| {
        let has = |chosen: fn(f64) -> bool| case.sum_of(t, j, chosen) != 0.0;
        // The bias's share, and the share of a sign that no contribution has.
        let vanished = |there: bool, weight: f64| if there { 0.0 } else { weight };
        share(t, j, case.bias[j])
            + vanished(has(|part| part > 0.0), 1.0 + beta)
            + vanished(has(|part| part < 0.0), -beta)
    });
    case.agrees(rule, &expected, lost);
}

#[rstest]
fn the_gamma_positive_rule_equals_its_formula(
    #[values((2, 1), (6, 5), (17, 9))] (inputs, outputs): (usize, usize),
    #[values(false, true)] bias: bool,
    #[values(0.01, 1.0)] gamma: f64,
    #[values(0, 1)] seed: u64,
) {
    let case = Case::new(inputs, outputs, bias, seed);
    let favored = |w: f64| w + gamma * w.max(0.0);
    let part = |t: usize, i: usize, j: usize| {
        case.x[t * inputs + i] * favored(case.weight[i * outputs + j])
    };
    let g = |t, j| (0..inputs).map(|i| part(t, i, j)).sum::<f64>() + favored(case.bias[j]);
    let mut expected = vec![0.0; TOKENS * inputs];
    for t in 0..TOKENS {
        for i in 0..inputs {
            for j in 0..outputs {
                expected[t * inputs + i] += part(t, i, j) / g(t, j) * case.r(t, j);
            }
        }
    }
    let lost = case.loss(|t, j| favored(case.bias[j]) / g(t, j));
    case.agrees(
        &format!("rule = \"gamma-positive\"\ngamma = {gamma}"),
        &expected,
        lost,
    );
}

#[rstest]
#[case("w-squared", |w: f64| w * w)]
#[case("flat", |_| 1.0)]
fn the_rules_that_do_not_look_at_the_input_equal_their_formula(
    #[case] rule: &str,
    #[case] weigh: fn(f64) -> f64,
    #[values((2, 1), (6, 5), (17, 9))] (inputs, outputs): (usize, usize),
    #[values(false, true)] bias: bool,
) {
    let case = Case::new(inputs, outputs, bias, 4);
    let share = |i: usize, j: usize| {
        let all = (0..inputs).map(|i| weigh(case.weight[i * outputs + j]));
        weigh(case.weight[i * outputs + j]) / all.sum::<f64>()
    };
    let is_zero = |t: usize, i: usize| case.x[t * inputs + i] == 0.0;
    let mut expected = vec![0.0; TOKENS * inputs];
    let mut lost = 0.0;
    for t in 0..TOKENS {
        for i in 0..inputs {
            for j in 0..outputs {
                let relevance = share(i, j) * case.r(t, j);
                if is_zero(t, i) {
                    lost += relevance; // an input of zero cannot hold any
                } else {
                    expected[t * inputs + i] += relevance;
                }
            }
        }
    }
    case.agrees(&format!("rule = \"{rule}\""), &expected, lost);
}

/// phi(z) in f64, by numerical integration where there is no closed form in the standard library.
pub fn phi(activation: Activation, z: f64) -> f64 {
    match activation {
        Activation::Relu => z.max(0.0),
        Activation::Tanh => z.tanh(),
        Activation::Clip if z < -1.0 => -1.0,
        Activation::Clip | Activation::ClipAbove => z.min(1.0),
        Activation::Silu => z / (1.0 + (-z).exp()),
        Activation::QuickGelu => z / (1.0 + (-1.702 * z).exp()),
        Activation::GeluTanh => {
            let root = (2.0 / std::f64::consts::PI).sqrt();
            0.5 * z * (1.0 + (root * (z + 0.044715 * z.powi(3))).tanh())
        }
        Activation::Gelu => {
            // Phi(z) = 1/2 + the integral of the normal density from 0 to z, by Simpson's rule.
            let steps = 2000;
            let density = |x: f64| (-x * x / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
            let h = z / f64::from(steps);
            let inner = (1..steps).map(|k| {
                let weight = if k % 2 == 1 { 4.0 } else { 2.0 };
                weight * density(h * f64::from(k))
            });
            let sum = density(0.0) + density(z) + inner.sum::<f64>();
            z * (0.5 + sum * h / 3.0)
        }
    }
}

#[rstest]
fn the_identity_rule_hands_relevance_through(
    #[values(
        Activation::Gelu,
        Activation::GeluTanh,
        Activation::Relu,
        Activation::Silu,
        Activation::QuickGelu,
        Activation::Tanh,
        Activation::Clip,
        Activation::ClipAbove
    )]
    activation: Activation,
    #[values(1.0, 5.0, 1e-4)] scale: f64,
) {
    for &place in PLACES {
        let mut draw = Draw::new(3);
        let z: Vec<f64> = draw
            .numbers(40)
            .iter()
            .map(|z| f64::from((z * scale) as f32))
            .collect();
        let upstream = draw.numbers(40);
        let rules = RuleSet::from_toml("name = \"one\"\n[[rules]]\nrule = \"identity\"").unwrap();
        let mut relevance = explain(&rules, &Registry::default(), &["z"], |pass: &mut Pass| {
            let z = pass.signal("z", place.tensor::<3>(&z, [1, 4, 10]));
            let y = pass.apply("phi", &activation, z);
            (y * place.tensor(&upstream, [1, 4, 10])).sum()
        });
        let found = numbers::<3>(relevance.take("z").unwrap());
        // R(z) = R(y) = phi(z) times the gradient at y.
        let expected: Vec<f64> = z
            .iter()
            .zip(&upstream)
            .map(|(z, u)| phi(activation, *z) * u)
            .collect();
        let error = difference(&found, &expected);
        assert!(
            error < place.tolerance(),
            "{activation:?} on {place:?}: {error:.1e}"
        );
    }
}

#[test]
fn the_identity_rule_has_finite_gradients_at_zero() {
    for &place in PLACES {
        for activation in Activation::ALL {
            let z = place.tensor::<3>(&[0.0, -0.0, 1e-30, -1e-30], [1, 1, 4]);
            let quotient: Tensor<3> = activation.quotient(z);
            assert!(
                numbers(quotient).iter().all(|q| (0.0..=1.0).contains(q)),
                "{activation:?}"
            );
        }
    }
}

#[rstest]
#[case("rule = \"epsilon\"\nepsilon = 0.0", "epsilon")]
#[case("rule = \"epsilon\"\nepsilon = inf", "epsilon")]
#[case("rule = \"epsilon\"", "missing field `epsilon`")]
#[case("rule = \"gamma\"\ngamma = -0.1", "gamma = -0.1 is out of range")]
#[case("rule = \"gamma\"\ngamma = nan", "gamma")]
#[case(
    "rule = \"alpha-beta\"\nalpha = 2.0\nbeta = 0.5",
    "alpha = 2 is out of range: it must be 1 + beta"
)]
#[case(
    "rule = \"alpha-beta\"\nalpha = 0.5\nbeta = -0.5",
    "beta = -0.5 is out of range"
)]
#[case("rule = \"z-plus\"\nalpha = 1.0", "unknown field `alpha`")]
fn parameters_out_of_range_are_refused(#[case] rule: &str, #[case] reason: &str) {
    let toml = format!("name = \"one\"\n[[rules]]\noperation = \"linear\"\n{rule}");
    let linear = Linear {
        weight: Place::F32.tensor(&[1.0], [1, 1]),
        bias: None,
    };
    let mut trace = Pass::trace();
    trace.apply("map", &linear, Place::F32.tensor::<3>(&[1.0], [1, 1, 1]));
    let rules = RuleSet::from_toml(&toml).unwrap();
    let error = rules
        .bind(&trace.into_sites(), &Registry::default())
        .unwrap_err();
    assert!(error.to_string().contains(reason), "{error}");
}
