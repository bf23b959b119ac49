//! What the ledger enters, against the definitions written out with plain loops.

use burn::tensor::Tensor;
use relprop_rules::operations::{
    Activation, AttentionMix, AttentionScores, AttentionWeights, Gate, Linear, Norm, NormScale,
    Residual,
};
use relprop_rules::{Absorbed, Ledger, Operation, Pass, Registry, RuleSet, Signals, Site};

use crate::support::{Draw, PLACES, Place, numbers};

/// Runs one operation under one rule between the cut `x` and a target of sum_j u_j y_j.
fn run<O: Operation>(
    rule: &str,
    operation: &O,
    input: impl Fn(&mut Pass) -> O::Input,
    upstream: impl Fn(O::Output) -> Tensor<1>,
) -> Ledger {
    let sites = [Site::new("op", Some(O::NAME), [])];
    let toml = format!("name = 't'\n[[rules]]\nsite = 'op'\nrule = {rule}");
    let rules = RuleSet::from_toml(&toml).unwrap();
    let rules = rules.bind(&sites, &Registry::default()).unwrap();
    let mut pass = Pass::new(&rules).with_ledger(["x"]);
    let input = input(&mut pass);
    let output = pass.apply("op", operation, input);
    let mut relevance = pass.backward(upstream(output));
    relevance.take_ledger().unwrap().unwrap()
}

/// The entry of a kind; 0 if there is none.
fn entry(ledger: &Ledger, kind: &str) -> f64 {
    let found: Vec<&Absorbed> = ledger.absorbed().filter(|e| e.kind == kind).collect();
    assert!(found.len() <= 1, "{found:?}");
    found.first().map_or(0.0, |entry| entry.relevance)
}

fn close(place: Place, found: f64, expected: f64) {
    let error = (found - expected).abs();
    assert!(
        error < 10.0 * place.tolerance(),
        "{place:?}: {found} instead of {expected}"
    );
}

const SHAPE: [usize; 3] = [1, 3, 4];
const COUNT: usize = 12;

fn weighted<const D: usize>(place: Place, y: Tensor<D>, upstream: &[f64]) -> Tensor<1> {
    let shape = y.dims();
    (y * place.tensor(upstream, shape)).sum()
}

struct Map {
    x: Vec<f64>,
    weight: Vec<f64>,
    bias: Vec<f64>,
    upstream: Vec<f64>,
}

impl Map {
    fn draw(seed: u64) -> Self {
        let mut draw = Draw::new(seed);
        Self {
            x: draw.numbers(COUNT),
            weight: draw.numbers(16),
            bias: draw.numbers(4),
            upstream: draw.numbers(COUNT),
        }
    }

    fn ledger(&self, place: Place, rule: &str) -> Ledger {
        let map = Linear {
            weight: place.tensor(&self.weight, [4, 4]),
            bias: Some(place.tensor(&self.bias, [4])),
        };
        let x = |pass: &mut Pass| pass.signal("x", place.tensor(&self.x, SHAPE));
        run(rule, &map, x, |y| weighted(place, y, &self.upstream))
    }

    /// For each output: its contributions, its bias, and its relevance.
    fn outputs(&self) -> Vec<(Vec<f64>, f64, f64)> {
        let mut outputs = Vec::new();
        for position in 0..3 {
            for j in 0..4 {
                let parts: Vec<f64> = (0..4)
                    .map(|i| self.x[position * 4 + i] * self.weight[i * 4 + j])
                    .collect();
                let z = parts.iter().sum::<f64>() + self.bias[j];
                outputs.push((parts, self.bias[j], z * self.upstream[position * 4 + j]));
            }
        }
        outputs
    }
}

#[test]
fn a_bias_absorbs_its_share_of_every_output() {
    for &place in PLACES {
        for seed in 0..10 {
            let map = Map::draw(seed);
            let ledger = map.ledger(place, "'gradient'");
            let mut bias = 0.0;
            for (parts, b, relevance) in map.outputs() {
                bias += b / (parts.iter().sum::<f64>() + b) * relevance;
            }
            close(place, entry(&ledger, "bias"), bias);
            close(place, entry(&ledger, "stabilizer"), 0.0);
            close(place, ledger.unaccounted(), 0.0);
        }
    }
}

#[test]
fn epsilon_and_the_bias_are_told_apart() {
    for &place in PLACES {
        for seed in 0..10 {
            let map = Map::draw(seed);
            let ledger = map.ledger(place, "'epsilon'\nepsilon = 0.1");
            let [mut bias, mut epsilon] = [0.0; 2];
            for (parts, b, relevance) in map.outputs() {
                let z = parts.iter().sum::<f64>() + b;
                let stabilized = z + if z < 0.0 { -0.1 } else { 0.1 };
                bias += b / stabilized * relevance;
                epsilon += (stabilized - z) / stabilized * relevance;
            }
            close(place, entry(&ledger, "bias"), bias);
            close(place, entry(&ledger, "stabilizer"), epsilon);
        }
    }
}

#[test]
fn the_bias_has_its_share_of_positive_contributions_under_z_plus() {
    for &place in PLACES {
        for seed in 0..10 {
            let map = Map::draw(seed);
            let ledger = map.ledger(place, "'z-plus'");
            let [mut bias, mut dropped] = [0.0; 2];
            for (parts, b, relevance) in map.outputs() {
                let positive = parts.iter().map(|part| part.max(0.0)).sum::<f64>() + b.max(0.0);
                match positive > 0.0 {
                    true => bias += b.max(0.0) / positive * relevance,
                    false => dropped += relevance,
                }
            }
            close(place, entry(&ledger, "bias"), bias);
            close(place, entry(&ledger, "stabilizer"), dropped);
        }
    }
}

#[test]
fn a_norm_absorbs_its_shift_and_what_its_scale_loses() {
    for &place in PLACES {
        for (rule, scale_is_fixed) in [("'gradient'", false), ("'detach-scale'", true)] {
            for seed in 0..10 {
                let mut draw = Draw::new(seed);
                let [x, upstream] = [(); 2].map(|()| draw.numbers(COUNT));
                let [gamma, beta] = [(); 2].map(|()| draw.numbers(4));
                let epsilon = 0.05;
                let norm = Norm {
                    scale: NormScale::InsideRoot(epsilon),
                    gamma: Some(place.tensor(&gamma, [4])),
                    beta: Some(place.tensor(&beta, [4])),
                };
                let input = |pass: &mut Pass| pass.signal("x", place.tensor(&x, SHAPE));
                let ledger = run(rule, &norm, input, |y| weighted(place, y, &upstream));
                let [mut shift, mut scale] = [0.0; 2];
                for position in 0..3 {
                    let x = &x[position * 4..][..4];
                    let mean = x.iter().sum::<f64>() / 4.0;
                    let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 4.0;
                    for i in 0..4 {
                        let u = upstream[position * 4 + i];
                        let y = (x[i] - mean) / (variance + epsilon).sqrt() * gamma[i];
                        shift += beta[i] * u;
                        // Ali et al. 2022, section 3: a share Var / (epsilon + Var) is lost.
                        scale += y * u * variance / (variance + epsilon);
                    }
                }
                close(place, entry(&ledger, "shift"), shift);
                close(
                    place,
                    entry(&ledger, "scale"),
                    if scale_is_fixed { 0.0 } else { scale },
                );
            }
        }
    }
}

#[test]
fn an_activation_absorbs_what_it_is_not_linear_by() {
    for &place in PLACES {
        for seed in 0..10 {
            let mut draw = Draw::new(seed);
            let [z, upstream] = [(); 2].map(|()| draw.numbers(COUNT));
            let input = |pass: &mut Pass| pass.signal("x", place.tensor(&z, SHAPE));
            let ledger = run("'gradient'", &Activation::Tanh, input, |y| {
                weighted(place, y, &upstream)
            });
            let absorbed = z.iter().zip(&upstream).map(|(z, u)| {
                // phi(z) - z phi'(z)
                (z.tanh() - z * (1.0 - z.tanh().powi(2))) * u
            });
            close(place, entry(&ledger, "activation"), absorbed.sum());
        }
    }
}

/// A head of three keys and two queries, as in the paper: y_j = sum_i p_ij x_i, p = softmax(q).
#[test]
fn products_count_double_and_the_softmax_absorbs_its_covariance() {
    for &place in PLACES {
        for seed in 0..10 {
            let mut draw = Draw::new(seed);
            let [scores, values] = [6, 12].map(|count| draw.numbers(count));
            let upstream = draw.numbers(8);
            let sites = [
                Site::new("weights", Some(AttentionWeights::NAME), []),
                Site::new("mix", Some(AttentionMix::NAME), []),
            ];
            let rules = RuleSet::preset("gradient-x-input").unwrap();
            let rules = rules.bind(&sites, &Registry::default()).unwrap();
            let mut pass = Pass::new(&rules).with_ledger(["x"]);
            // Scores and values in one signal, so that there is one cut.
            let both = [scores.clone(), values.clone()].concat();
            let both = pass.signal("x", place.tensor(&both, [18]));
            let s = both.clone().narrow(0, 0, 6).reshape([1, 1, 2, 3]);
            let v = both.narrow(0, 6, 12).reshape([1, 1, 3, 4]);
            let weights = pass.apply(
                "weights",
                &AttentionWeights {
                    hidden: None,
                    sinks: None,
                },
                s,
            );
            let y = pass.apply("mix", &AttentionMix, (weights, v));
            let mut relevance = pass.backward(weighted(place, y, &upstream));
            let ledger = relevance.take_ledger().unwrap().unwrap();

            let [mut product, mut softmax] = [0.0; 2];
            for query in 0..2 {
                let q = &scores[query * 3..][..3];
                let sum: f64 = q.iter().map(|q| q.exp()).sum();
                let p: Vec<f64> = q.iter().map(|q| q.exp() / sum).collect();
                let mean_q: f64 = p.iter().zip(q).map(|(p, q)| p * q).sum();
                for feature in 0..4 {
                    let u = upstream[query * 4 + feature];
                    for key in 0..3 {
                        let x = values[key * 4 + feature];
                        product -= p[key] * x * u;
                        // R(p) - R(q): Cov_p(q, x) of the paper's proposition.
                        softmax += p[key] * x * u - p[key] * (q[key] - mean_q) * x * u;
                    }
                }
            }
            close(place, entry(&ledger, "product"), product);
            close(place, entry(&ledger, "softmax"), softmax);
            close(place, ledger.unaccounted(), 0.0);
        }
    }
}

#[test]
fn half_makes_products_conserve() {
    for &place in PLACES {
        let mut draw = Draw::new(3);
        let [a, b, upstream] = [(); 3].map(|()| draw.numbers(COUNT));
        for (rule, expected) in [("'gradient'", -1.0), ("'half'", 0.0), ("'detach'", 0.0)] {
            let input = |pass: &mut Pass| {
                let both = pass.signal(
                    "x",
                    place.tensor(&[a.clone(), b.clone()].concat(), [2, 3, 4]),
                );
                (both.clone().narrow(0, 0, 1), both.narrow(0, 1, 1))
            };
            let ledger = run(rule, &Gate, input, |y| weighted(place, y, &upstream));
            close(place, entry(&ledger, "product"), expected * ledger.target);
            close(place, ledger.unaccounted(), 0.0);
        }
        let scores = AttentionScores { scale: 0.5 };
        let input = |pass: &mut Pass| {
            let x = pass.signal("x", place.tensor(&a, [1, 1, 3, 4]));
            (x.clone(), x)
        };
        let ledger = run("'gradient'", &scores, input, |y| {
            weighted(place, y, &upstream[..9])
        });
        close(place, entry(&ledger, "product"), -ledger.target);
    }
}

/// A model of two blocks, y = x + relu(x W + b), whose second adds something behind the pass's back.
fn blocks(x: Tensor<3>, map: &Linear, outside: f64, pass: &mut Pass) -> Tensor<1> {
    let mut x = pass.signal("blocks", x);
    for block in 0..2 {
        x = pass.within(format_args!("encoder.{block}"), |pass| {
            let branch = pass.apply("map", map, x.clone());
            let branch = pass.apply("activation", &Activation::Relu, branch);
            let branch = if block == 1 { branch + outside } else { branch };
            let sum = pass.apply("residual", &Residual, (x, branch));
            pass.signal("output", sum)
        });
    }
    x.sum()
}

#[test]
fn what_is_computed_outside_the_pass_is_unaccounted_in_its_block() {
    for &place in PLACES {
        let mut draw = Draw::new(5);
        let x: Tensor<3> = place.tensor(&draw.numbers(COUNT), SHAPE);
        let map = Linear {
            weight: place.tensor(&draw.numbers(16), [4, 4]),
            bias: Some(place.tensor(&draw.numbers(4), [4])),
        };
        for outside in [0.0, 0.25] {
            let cuts = ["blocks", "encoder.0.output", "encoder.1.output"];
            let mut pass = Pass::plain().with_ledger(cuts);
            let target = blocks(x.clone(), &map, outside, &mut pass);
            let ledger = pass.backward(target).take_ledger().unwrap().unwrap();
            let gaps: Vec<f64> = ledger
                .stages
                .iter()
                .map(|stage| stage.unaccounted)
                .collect();
            close(place, gaps[0], 0.0);
            close(place, gaps[1], outside * COUNT as f64);
            close(place, gaps[2], 0.0);
            close(place, ledger.unaccounted(), outside * COUNT as f64);
        }
    }
}

/// A custom operation needs nothing but its name for what it loses to be entered.
#[test]
fn an_operation_of_ones_own_is_entered_too() {
    for &place in PLACES {
        #[derive(Clone)]
        struct Square;
        impl Operation for Square {
            const NAME: &'static str = "square";
            type Input = Tensor<3>;
            type Output = Tensor<3>;
            fn forward(&self, x: Tensor<3>) -> Tensor<3> {
                x.clone() * x
            }
        }
        let mut pass = Pass::plain().with_ledger(["x"]);
        let x = pass.signal("x", place.tensor::<3>(&[3.0], [1, 1, 1]));
        let y = pass.apply("square", &Square, x);
        let mut relevance = pass.backward(y.sum());
        let ledger = relevance.take_ledger().unwrap().unwrap();
        assert_eq!((ledger.target, ledger.read()), (9.0, 18.0));
        let entries: Vec<_> = ledger.absorbed().cloned().collect();
        let expected = Absorbed {
            site: "square".to_owned(),
            operation: Some("square"),
            kind: "rule",
            relevance: -9.0,
        };
        assert_eq!(entries, [expected]);
    }
}

/// Nothing before the first cut, and nothing where no relevance comes, is entered.
#[test]
fn only_what_lies_between_the_cut_and_the_target_is_entered() {
    for &place in PLACES {
        let mut draw = Draw::new(9);
        let map = Linear {
            weight: place.tensor(&draw.numbers(16), [4, 4]),
            bias: Some(place.tensor(&draw.numbers(4), [4])),
        };
        let mut pass = Pass::plain().with_ledger(["middle"]);
        let before = pass.apply("before", &map, place.tensor(&draw.numbers(COUNT), SHAPE));
        let middle = pass.signal("middle", before);
        let _aside = pass.apply("aside", &map, middle.clone());
        let after = pass.apply("after", &map, middle);
        let mut relevance = pass.backward(after.clone().sum());
        let ledger = relevance.take_ledger().unwrap().unwrap();
        assert!(ledger.absorbed().all(|entry| entry.site == "after"));
        close(place, ledger.target, numbers(after).iter().sum());
        close(place, ledger.unaccounted(), 0.0);
    }
}

/// Several inputs in a list are watched one by one.
#[test]
fn lists_of_signals_are_watched() {
    fn watches<S: Signals>() {}
    watches::<(Tensor<3>, Vec<Tensor<4>>)>();
}
