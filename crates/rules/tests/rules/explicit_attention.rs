//! The laws of attention written out against the rules that state them by a gradient, as in `explicit.rs`.

use burn::tensor::Tensor;
use relprop_rules::operations::{AttentionMix, AttentionScores, AttentionWeights};
use relprop_rules::{Operation, Pass, Registry, RuleSet, explicit};
use rstest::rstest;

use super::explicit::{assert_equal, assert_sum, by_gradient, by_gradient_of_two, draw, sum};
use super::support::{explain, numbers};

/// One head of two texts: 3 queries, 5 keys, 4 features.
const WEIGHTS: [usize; 4] = [2, 1, 3, 5];
const VALUES: [usize; 4] = [2, 1, 5, 4];
const QUERIES: [usize; 4] = [2, 1, 3, 4];

#[rstest]
fn mixing_of_values(#[values(0, 1, 2)] seed: u64) {
    let factors: [Tensor<4>; 2] = [draw(WEIGHTS, seed), draw(VALUES, seed + 10)];
    let [p, v] = factors.clone();

    let [of_p, of_v, of_y] = by_gradient_of_two(&AttentionMix, "rule = \"gradient\"", &factors);
    let (p_found, v_found) =
        explicit::attention::mixing_plain_gradient(p.clone(), v.clone(), of_y.clone());
    assert_sum(&p_found, sum(&of_y));
    assert_sum(&v_found, sum(&of_y));
    assert_equal(p_found, of_p);
    // The AH-rule is what the values get while the weights are constants.
    let ah = explicit::attention::ah_rule(p.clone(), v.clone(), of_y.clone());
    assert_sum(&ah, sum(&of_y));
    assert_equal(ah, of_v.clone());
    assert_equal(v_found, of_v);

    let [of_p, of_v, of_y] = by_gradient_of_two(&AttentionMix, "rule = \"half\"", &factors);
    // R(y) is y times its gradient above the rule: the rule halves below it.
    let (p_found, v_found) = explicit::attention::mixing_uniform(p, v, of_y.clone());
    assert_sum(&p_found, sum(&of_y) / 2.0);
    assert_sum(&v_found, sum(&of_y) / 2.0);
    assert_equal(p_found, of_p);
    assert_equal(v_found, of_v);
}

#[rstest]
fn the_ah_rule_is_the_detached_softmax(#[values(0, 1, 2)] seed: u64) {
    let (scores, values): (Tensor<4>, Tensor<4>) = (draw(WEIGHTS, seed), draw(VALUES, seed + 10));
    let upstream: Tensor<4> = draw(QUERIES, seed + 20);
    let softmax = AttentionWeights {
        hidden: None,
        sinks: None,
    };
    let model = |pass: &mut Pass| {
        let scores = pass.signal("scores", scores.clone() * 3.0);
        let values = pass.signal("values", values.clone());
        let weights = pass.apply("weights", &softmax, scores);
        let y = pass.apply("y", &AttentionMix, (weights, values));
        (y * upstream.clone()).sum()
    };
    let rules = RuleSet::preset("ah").unwrap();
    let probes = ["scores", "values", "y"];
    let mut found = explain(&rules, &Registry::default(), &probes, model);
    let [of_scores, of_values, of_y] = probes.map(|site| found.take::<4>(site).unwrap());
    assert!(numbers(of_scores).iter().all(|r| *r == 0.0));
    let weights = softmax.forward(scores.clone() * 3.0);
    let law = explicit::attention::ah_rule(weights, values.clone(), of_y.clone());
    assert_sum(&law, sum(&of_y));
    assert_equal(law, of_values);
}

/// A sink takes its part of the softmax, and no relevance: p_j = e^q_j / (e^s + sum e^q_j), in plain loops.
#[rstest]
fn the_softmax_with_a_sink_under_its_plain_gradient(
    #[values(0, 1, 2)] seed: u64,
    #[values(-3.0, 0.0, 2.0)] sink: f32,
) {
    let scores: Tensor<4> = draw(WEIGHTS, seed) * 2.0;
    let softmax = AttentionWeights {
        hidden: None,
        sinks: Some(Tensor::from_data([sink], &scores.device())),
    };
    let [of_scores, of_weights] = by_gradient(&softmax, "rule = \"gradient\"", &scores);
    let weights = softmax.forward(scores.clone());
    let [rows, keys] = [6, 5];
    let (q, p) = (numbers(scores.clone()), numbers(weights.clone()));
    let (r, found) = (numbers(of_weights.clone()), numbers(of_scores.clone()));
    for row in 0..rows {
        let at = |key: usize| row * keys + key;
        let all = f64::from(sink).exp() + (0..keys).map(|key| q[at(key)].exp()).sum::<f64>();
        let whole: f64 = (0..keys).map(|key| r[at(key)]).sum();
        for key in 0..keys {
            let weight = q[at(key)].exp() / all;
            let relevance = q[at(key)] * (r[at(key)] - weight * whole);
            assert!((p[at(key)] - weight).abs() < 1e-5);
            assert!((found[at(key)] - relevance).abs() < 1e-4);
        }
    }
    let law = explicit::attention::softmax_plain_gradient(scores, weights, of_weights);
    assert_equal(law, of_scores);
}

#[rstest]
fn scores(#[values(0, 1, 2)] seed: u64, #[values(1.0, 0.5)] scale: f64) {
    let factors: [Tensor<4>; 2] = [draw(QUERIES, seed), draw(VALUES, seed + 10)];
    let [query, key] = factors.clone();
    for (rule, law, share) in [
        (
            "rule = \"half\"",
            explicit::attention::scores_uniform as fn(_, _, _) -> (Tensor<4>, Tensor<4>),
            0.5,
        ),
        (
            "rule = \"gradient\"",
            explicit::attention::scores_plain_gradient,
            1.0,
        ),
    ] {
        let scores = AttentionScores { scale };
        let [of_query, of_key, of_scores] = by_gradient_of_two(&scores, rule, &factors);
        let (query_found, key_found) = law(query.clone(), key.clone(), of_scores.clone());
        assert_sum(&query_found, sum(&of_scores) * share);
        assert_sum(&key_found, sum(&of_scores) * share);
        assert_equal(query_found, of_query);
        assert_equal(key_found, of_key);
    }
}

#[rstest]
fn the_softmax_under_its_plain_gradient(
    #[values(0, 1, 2)] seed: u64,
    #[values(1.0, 10.0)] size: f64,
) {
    let scores: Tensor<4> = draw(WEIGHTS, seed) * size;
    let softmax = AttentionWeights {
        hidden: None,
        sinks: None,
    };
    let [of_scores, of_weights] = by_gradient(&softmax, "rule = \"gradient\"", &scores);
    let weights = softmax.forward(scores.clone());
    let law = explicit::attention::softmax_plain_gradient(scores, weights, of_weights);
    assert_equal(law, of_scores);
}
