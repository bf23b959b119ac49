//! The rules for residual sums, for gates and for a norm whose mean is a constant too.

use burn::tensor::Tensor;
use relprop_rules::operations::{Gate, Norm, Residual};
use relprop_rules::{Operation, Pass, Registry, RuleSet};
use rstest::rstest;

use super::support::{Draw, PLACES, Place, difference, explain, numbers};

const SHAPE: [usize; 3] = [2, 3, 4];
const COUNT: usize = 24;

/// Two inputs and what the target takes of each output.
struct Case {
    a: Vec<f64>,
    b: Vec<f64>,
    upstream: Vec<f64>,
}

impl Case {
    fn new(seed: u64) -> Self {
        let mut draw = Draw::new(seed);
        let [mut a, mut b, upstream] = [(), (), ()].map(|()| draw.numbers(COUNT));
        // Zeros on one side, on both, ties, and terms that nearly cancel.
        (a[0], b[1]) = (0.0, 0.0);
        (a[2], b[2]) = (0.0, 0.0);
        b[3] = a[3];
        b[4] = -a[4] * 0.999;
        Self { a, b, upstream }
    }

    /// The relevance of both inputs under `rule`.
    fn explained<O>(&self, operation: &O, rule: &str, place: Place) -> [Vec<f64>; 2]
    where
        O: Operation<Input = (Tensor<3>, Tensor<3>), Output = Tensor<3>>,
    {
        let rules = format!("name = \"one\"\n[[rules]]\nrule = \"{rule}\"");
        let model = |pass: &mut Pass| {
            let a = pass.signal("a", place.tensor(&self.a, SHAPE));
            let b = pass.signal("b", place.tensor(&self.b, SHAPE));
            let y = pass.apply("here", operation, (a, b));
            (y * place.tensor(&self.upstream, SHAPE)).sum()
        };
        let rules = RuleSet::from_toml(&rules).unwrap();
        let mut found = explain(&rules, &Registry::default(), &["a", "b"], model);
        ["a", "b"].map(|site| numbers::<3>(found.take(site).unwrap()))
    }

    /// `share` gives the parts of R(y) that the two inputs get, from the inputs and R(y).
    fn agrees<O>(
        &self,
        operation: &O,
        rule: &str,
        y: fn(f64, f64) -> f64,
        share: impl Fn(f64, f64) -> [f64; 2],
    ) where
        O: Operation<Input = (Tensor<3>, Tensor<3>), Output = Tensor<3>>,
    {
        let mut expected = [vec![], vec![]];
        for ((a, b), u) in self.a.iter().zip(&self.b).zip(&self.upstream) {
            let [of_a, of_b] = share(*a, *b);
            let relevance = y(*a, *b) * u;
            expected[0].push(of_a * relevance);
            expected[1].push(of_b * relevance);
        }
        for &place in PLACES {
            let found = self.explained(operation, rule, place);
            for (found, expected) in found.iter().zip(&expected) {
                if expected.iter().all(|r| *r == 0.0) {
                    assert!(found.iter().all(|r| *r == 0.0), "{rule}");
                } else {
                    let error = difference(found, expected);
                    assert!(
                        error < place.tolerance(),
                        "{rule} in {place:?}: {error:.1e}"
                    );
                }
            }
        }
    }
}

fn share_of(part: f64, whole: f64) -> f64 {
    if part == 0.0 { 0.0 } else { part / whole }
}

#[rstest]
fn a_residual_sum_is_split_by_its_rule(#[values(0, 1, 2)] seed: u64) {
    let case = Case::new(seed);
    let sum = |a, b| a + b;
    case.agrees(&Residual, "gradient", sum, |a, b| {
        [share_of(a, a + b), share_of(b, a + b)]
    });
    case.agrees(&Residual, "ratio", sum, |a: f64, b: f64| {
        let both = a.abs() + b.abs();
        [share_of(a.abs(), both), share_of(b.abs(), both)]
    });
    // A term of zero cannot hold its half.
    let half = |x: f64| if x == 0.0 { 0.0 } else { 0.5 };
    case.agrees(&Residual, "symmetric", sum, |a, b| [half(a), half(b)]);
}

#[test]
fn the_ratio_rule_is_bounded_where_the_plain_gradient_is_not() {
    let case = Case::new(0);
    let at = 4; // the terms nearly cancel here
    let relevance = (case.a[at] + case.b[at]) * case.upstream[at];
    let of = |rule: &str| {
        case.explained(&Residual, rule, Place::F64)
            .map(|r| r[at].abs())
    };
    assert!(of("ratio").iter().all(|r| *r <= relevance.abs()));
    assert!(of("gradient").iter().all(|r| *r > 100.0 * relevance.abs()));
}

#[rstest]
fn a_gate_is_split_by_its_rule(#[values(0, 1, 2)] seed: u64) {
    let case = Case::new(seed);
    let product = |a, b| a * b;
    case.agrees(&Gate, "gradient", product, |_, _| [1.0, 1.0]);
    case.agrees(&Gate, "half", product, |_, _| [0.5, 0.5]);
    case.agrees(&Gate, "detach", product, |_, _| [0.0, 1.0]);
}

#[rstest]
fn a_norm_whose_mean_is_a_constant_loses_what_the_mean_held() {
    for &place in PLACES {
        let mut draw = Draw::new(8);
        // Off-center, so that there is something to lose.
        let x: Vec<f64> = draw.numbers(COUNT).iter().map(|x| x + 2.0).collect();
        let upstream = draw.numbers(COUNT);
        let norm = Norm::plain(1e-5);
        let rules = "name = \"one\"\n[[rules]]\nrule = \"detach-moments\"";
        let rules = RuleSet::from_toml(rules).unwrap();
        let mut found = explain(&rules, &Registry::default(), &["x"], |pass: &mut Pass| {
            let x = pass.signal("x", place.tensor(&x, SHAPE));
            let y = pass.apply("here", &norm, x);
            (y * place.tensor(&upstream, SHAPE)).sum()
        });
        let found = numbers::<3>(found.take("x").unwrap());

        // R(x_i) = x_i / (x_i - mean) R(y_i), and R(y_i) is (x_i - mean) / std times the gradient.
        let features = SHAPE[2];
        let mut expected = Vec::new();
        for (x, upstream) in x.chunks(features).zip(upstream.chunks(features)) {
            let mean = x.iter().sum::<f64>() / features as f64;
            let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / features as f64;
            let std = (variance + 1e-5).sqrt();
            let relevance = x.iter().zip(upstream).map(|(x, u)| {
                let of_y = (x - mean) / std * u;
                x / (x - mean) * of_y
            });
            expected.extend(relevance);
        }
        let error = difference(&found, &expected);
        assert!(error < place.tolerance(), "{place:?}: {error:.1e}");
        let kept: f64 = found.iter().sum();
        let held: f64 = numbers::<3>(norm.forward(place.tensor(&x, SHAPE)))
            .iter()
            .zip(&upstream)
            .map(|(y, u)| y * u)
            .sum();
        assert!(
            (kept - held).abs() > 0.1,
            "it does not conserve: {kept} of {held}"
        );
    }
}
