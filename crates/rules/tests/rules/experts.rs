//! A router's weights, and what experts contribute, against plain loops.

use burn::tensor::{Bool, Tensor, TensorData};
use relprop_rules::Pass;
use relprop_rules::explicit::experts::router_plain_gradient;
use relprop_rules::explicit::product::{gate_plain_gradient, gate_signal_takes_all, gate_uniform};
use relprop_rules::operations::{ExpertProduct, RouterWeights};
use rstest::rstest;

use super::support::{Draw, PLACES, Place, difference, explain_by, numbers};

const TOKENS: usize = 3;
const EXPERTS: usize = 4;
const CHOSEN: [[bool; EXPERTS]; TOKENS] = [
    [true, false, true, false],
    [false, true, true, false],
    [true, false, false, true],
];

/// Scores and the upstream gradient.
fn drawn() -> [Vec<f64>; 2] {
    let mut draw = Draw::new(7);
    [TOKENS * EXPERTS; 2].map(|count| draw.numbers(count))
}

/// The softmax that weights are taken from, the weights, and R(q) = q dy/dq.
fn twin(normalized: bool) -> [Vec<f64>; 3] {
    let [scores, upstream] = drawn();
    let mut found = [const { Vec::new() }; 3];
    for (token, chosen) in CHOSEN.iter().enumerate() {
        let row = token * EXPERTS..(token + 1) * EXPERTS;
        let (scores, upstream) = (&scores[row.clone()], &upstream[row]);
        let counts = |expert: usize| chosen[expert] || !normalized;
        let size = |expert: usize| {
            if counts(expert) {
                scores[expert].exp()
            } else {
                0.0
            }
        };
        let all: f64 = (0..EXPERTS).map(size).sum();
        let softmax: Vec<f64> = (0..EXPERTS).map(|expert| size(expert) / all).collect();
        let is = |expert: usize| if chosen[expert] { 1.0 } else { 0.0 };
        let weights: Vec<f64> = (0..EXPERTS).map(|e| softmax[e] * is(e)).collect();
        for i in 0..EXPERTS {
            let slope = (0..EXPERTS).map(|j| {
                let same = if i == j { 1.0 } else { 0.0 };
                upstream[j] * is(j) * softmax[j] * (same - softmax[i])
            });
            found[2].push(scores[i] * slope.sum::<f64>());
        }
        found[0].extend(softmax);
        found[1].extend(weights);
    }
    found
}

fn operation(normalized: bool, place: Place) -> RouterWeights {
    let marks: Vec<bool> = CHOSEN.concat().iter().map(|chosen| !chosen).collect();
    let marks = TensorData::new(marks, [1, TOKENS, EXPERTS]);
    RouterWeights {
        unchosen: Tensor::<3, Bool>::from_data(marks, &place.device()),
        normalized,
    }
}

#[rstest]
fn a_router_has_its_gradient_under_every_preset(
    #[values("gradient-x-input", "ah-ln", "attn-lrp", "libra")] preset: &str,
    #[values(false, true)] normalized: bool,
) {
    let [scores, upstream] = drawn();
    let [softmax, weights, relevance] = twin(normalized);
    let shape = [1, TOKENS, EXPERTS];
    for &place in PLACES {
        let mut found = explain_by(preset, &["q", "w"], |pass: &mut Pass| {
            let q = pass.signal("q", place.tensor(&scores, shape));
            let w = pass.apply("w", &operation(normalized, place), q);
            (w * place.tensor(&upstream, shape)).sum()
        });
        let of_w: Vec<f64> = weights.iter().zip(&upstream).map(|(w, u)| w * u).collect();
        let law = router_plain_gradient(
            place.tensor(&scores, shape),
            place.tensor(&softmax, shape),
            place.tensor(&of_w, shape),
        );
        let errors = [
            difference(&numbers(found.read::<3>("w").unwrap().signal), &weights),
            difference(&numbers::<3>(found.take("q").unwrap()), &relevance),
            difference(&numbers(law), &relevance),
        ];
        assert!(
            errors.iter().all(|error| *error < place.tolerance()),
            "{place:?}: {errors:?}"
        );
    }
}

/// All to both, half to each, or all to the expert.
#[rstest]
#[case("gradient-x-input", 1.0, 1.0)]
#[case("ln", 1.0, 1.0)]
#[case("attn-lrp", 0.5, 0.5)]
#[case("ah-ln", 0.0, 1.0)]
#[case("libra", 0.0, 1.0)]
#[case("gamma", 0.0, 1.0)]
fn an_expert_shares_with_its_router(
    #[case] preset: &str,
    #[case] of_weight: f64,
    #[case] of_output: f64,
) {
    let [weight, output] = drawn();
    let shape = [1, TOKENS, EXPERTS];
    let whole: Vec<f64> = weight.iter().zip(&output).map(|(w, e)| w * e).collect();
    let times = |share: f64| whole.iter().map(|r| share * r).collect::<Vec<f64>>();
    for &place in PLACES {
        let mut found = explain_by(preset, &["w", "e"], |pass: &mut Pass| {
            let w = pass.signal("w", place.tensor(&weight, shape));
            let e = pass.signal("e", place.tensor(&output, shape));
            pass.apply("y", &ExpertProduct, (w, e)).sum()
        });
        let law = match (of_weight, of_output) {
            (0.0, _) => gate_signal_takes_all::<3>,
            (0.5, _) => gate_uniform::<3>,
            _ => gate_plain_gradient::<3>,
        };
        let (law_of_weight, law_of_output) = law(place.tensor(&whole, shape));
        let pairs = [
            (numbers::<3>(found.take("w").unwrap()), times(of_weight)),
            (numbers::<3>(found.take("e").unwrap()), times(of_output)),
            (numbers(law_of_weight), times(of_weight)),
            (numbers(law_of_output), times(of_output)),
        ];
        for (found, expected) in pairs {
            match expected.iter().all(|r| *r == 0.0) {
                true => assert_eq!(found, expected, "{place:?}"),
                false => {
                    let error = difference(&found, &expected);
                    assert!(error < place.tolerance(), "{place:?}: {error:.1e}");
                }
            }
        }
    }
}
