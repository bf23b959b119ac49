//! The AH-rule and the LN-rule as the paper writes them, in plain loops over f64, against what the
//! rules of the crate give by autodiff. Only the inputs are shared.

use proptest::prelude::*;
use relprop_rules::operations::NormScale;
use rstest::rstest;

use super::support::{Head, Hide, NormCase, PLACES, Place, difference, exact, explain_by, numbers};

/// p_ij of every text and head, `[batch, head, query, key]`, by loops.
pub fn weights(head: &Head) -> Vec<f64> {
    let Head {
        batch,
        heads,
        queries,
        keys,
        features: n,
        ..
    } = *head;
    let [to_key, to_query] = &head.projections;
    let mut weights = Vec::new();
    for group in 0..batch * heads {
        for j in 0..queries {
            let mut row = vec![0.0; keys];
            for (i, exponential) in row.iter_mut().enumerate() {
                let place = (group / heads * queries + j) * keys + i;
                if head.hidden.as_ref().is_some_and(|hidden| hidden[place]) {
                    continue;
                }
                let mut score = 0.0;
                for d in 0..n {
                    let (mut key, mut query) = (0.0, 0.0);
                    for c in 0..n {
                        let at = (group * n + c) * n + d;
                        key += head.x[(group * keys + i) * n + c] * to_key[at];
                        query += head.asking[(group * queries + j) * n + c] * to_query[at];
                    }
                    score += head.scale * key * query;
                }
                *exponential = score.exp();
            }
            let sum: f64 = row.iter().sum();
            weights.extend(row.iter().map(|exponential| exponential / sum));
        }
    }
    weights
}

/// Moves every feature of `x` so that no mixture sum_i x_i p_ij comes near zero: all mixtures of
/// one feature become at least 1/4, or at most -1/4. The terms x_i keep their mixed signs. The
/// weights stay what they are, since every key moves by the same vector and a softmax does not
/// see that.
fn keep_mixtures_from_zero(head: &mut Head) {
    let p = weights(head);
    let (n, keys, queries) = (head.features, head.keys, head.queries);
    for group in 0..head.batch * head.heads {
        for feature in 0..n {
            let at = |i: usize| (group * keys + i) * n + feature;
            let mixtures = (0..queries).map(|j| {
                let p = &p[(group * queries + j) * keys..][..keys];
                (0..keys).map(|i| head.x[at(i)] * p[i]).sum::<f64>()
            });
            let (low, high) = mixtures
                .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), y| {
                    (low.min(y), high.max(y))
                });
            let shift = if feature % 2 == 0 {
                0.25 - low
            } else {
                -0.25 - high
            };
            for i in 0..keys {
                head.x[at(i)] = exact(head.x[at(i)] + shift);
            }
        }
    }
}

/// R(x_i) = sum_j x_i p_ij / (sum_i' x_i' p_i'j) R(y_j), for every head and feature.
fn ah_rule(head: &Head) -> Vec<f64> {
    let p = weights(head);
    let (n, keys, queries) = (head.features, head.keys, head.queries);
    let mut relevance = vec![0.0; head.x.len()];
    for group in 0..head.batch * head.heads {
        for feature in 0..n {
            let x = |i: usize| head.x[(group * keys + i) * n + feature];
            for j in 0..queries {
                let p = &p[(group * queries + j) * keys..][..keys];
                let y: f64 = (0..keys).map(|i| x(i) * p[i]).sum();
                let relevance_of_y = y * head.upstream[(group * queries + j) * n + feature];
                for (i, p) in p.iter().enumerate() {
                    relevance[(group * keys + i) * n + feature] += x(i) * p / y * relevance_of_y;
                }
            }
        }
    }
    relevance
}

#[rstest]
#[case::one_token_and_feature([1, 1, 1, 1, 1])]
#[case::one_query([1, 1, 1, 5, 3])]
#[case::one_key([2, 1, 4, 1, 3])]
#[case::one_feature([2, 2, 3, 4, 1])]
#[case::self_attention([3, 2, 6, 6, 4])]
#[case::long([1, 4, 24, 17, 8])]
fn detached_weights_are_the_ah_rule(
    #[case] sizes: [usize; 5],
    #[values(Hide::Nothing, Hide::PerText, Hide::PerQuery)] hide: Hide,
    #[values(0, 1, 2)] seed: u64,
) {
    for &place in PLACES {
        let mut head = Head::draw(sizes, hide, seed);
        keep_mixtures_from_zero(&mut head);
        let mut relevance = explain_by("ah", &["x"], |pass| head.forward(place, pass));
        let error = difference(&numbers::<4>(relevance.take("x").unwrap()), &ah_rule(&head));
        println!("{place:?}: {error:.1e}");
        assert!(error < place.tolerance(), "{place:?}: {error:.1e}");
    }
}

/// The comparison above would not pass under just any rule.
#[test]
fn attention_under_its_plain_gradient_is_not_the_ah_rule() {
    let mut head = Head::draw([3, 2, 6, 6, 4], Hide::PerText, 0);
    keep_mixtures_from_zero(&mut head);
    let mut relevance = explain_by("gradient-x-input", &["x"], |pass| {
        head.forward(Place::F64, pass)
    });
    let error = difference(&numbers::<4>(relevance.take("x").unwrap()), &ah_rule(&head));
    assert!(error > 0.1, "{error:.1e}");
}

#[rstest]
fn a_key_that_every_query_is_blind_to_gets_exactly_nothing(
    #[values("gradient-x-input", "ah")] preset: &str,
) {
    for &place in PLACES {
        let head = Head::draw([3, 2, 6, 6, 4], Hide::PerText, 1);
        let mut relevance = explain_by(preset, &["x"], |pass| head.forward(place, pass));
        let relevance = numbers::<4>(relevance.take("x").unwrap());
        let hidden = head.hidden.as_ref().unwrap();
        for (place, relevance) in relevance.chunks(4).enumerate() {
            let (text, key) = (place / (2 * 6), place % 6);
            let hidden = hidden[text * 36 + key];
            assert_eq!(
                relevance.iter().all(|r| *r == 0.0),
                hidden,
                "text {text}, key {key}"
            );
        }
        assert!(hidden.contains(&true) && hidden.contains(&false));
    }
}

/// R(x_i) = sum_j x_i C_ij / (sum_i' x_i' C_i'j) R(y_j) with C_ij = delta_ij - 1/N; RMSNorm does not
/// center, so its C is the identity.
fn ln_rule(case: &NormCase) -> Vec<f64> {
    let n = case.features;
    let mean = match case.scale {
        NormScale::RootMeanSquare(_) => 0.0,
        _ => 1.0 / n as f64,
    };
    let centering = |i: usize, j: usize| f64::from(u8::from(i == j)) - mean;
    let mut relevance = vec![0.0; case.x.len()];
    for (row, x) in case.x.chunks(n).enumerate() {
        let mut centered = vec![0.0; n];
        for (j, centered) in centered.iter_mut().enumerate() {
            *centered = (0..n).map(|i| x[i] * centering(i, j)).sum();
        }
        let squares: f64 = centered.iter().map(|c| c * c).sum();
        let size = match case.scale {
            NormScale::InsideRoot(epsilon) | NormScale::RootMeanSquare(epsilon) => {
                (squares / n as f64 + epsilon).sqrt()
            }
            NormScale::OutsideRoot(epsilon) => (squares / (n - 1) as f64).sqrt() + epsilon,
        };
        for j in 0..n {
            let gamma = case.gamma.as_ref().map_or(1.0, |gamma| gamma[j]);
            let relevance_of_y = centered[j] / size * gamma * case.upstream[row * n + j];
            for i in 0..n {
                relevance[row * n + i] += x[i] * centering(i, j) / centered[j] * relevance_of_y;
            }
        }
    }
    relevance
}

#[rstest]
#[case::one_position(1, 6)]
#[case::two_features(4, 2)]
#[case::three_features(3, 3)]
#[case::several_texts(10, 7)]
#[case::wide(6, 128)]
fn a_detached_scale_is_the_ln_rule(
    #[case] rows: usize,
    #[case] features: usize,
    #[values(
        NormScale::InsideRoot(1e-12),
        NormScale::InsideRoot(0.1),
        NormScale::OutsideRoot(1e-12),
        NormScale::OutsideRoot(0.1),
        NormScale::RootMeanSquare(1e-6)
    )]
    scale: NormScale,
    #[values(false, true)] gamma: bool,
    #[values(0, 1)] seed: u64,
) {
    for &place in PLACES {
        let case = NormCase::draw(rows, features, scale, seed).with_affine(gamma, false, seed);
        let mut relevance = explain_by("ln", &["x"], |pass| case.forward(place, pass));
        let error = difference(&numbers::<3>(relevance.take("x").unwrap()), &ln_rule(&case));
        println!("{place:?}: {error:.1e}");
        assert!(error < place.tolerance(), "{place:?}: {error:.1e}");
    }
}

/// The comparison above would not pass under just any rule.
#[test]
fn a_norm_under_its_plain_gradient_is_not_the_ln_rule() {
    let case = NormCase::draw(10, 7, NormScale::InsideRoot(1e-12), 0);
    let mut relevance = explain_by("gradient-x-input", &["x"], |pass| {
        case.forward(Place::F64, pass)
    });
    let error = difference(&numbers::<3>(relevance.take("x").unwrap()), &ln_rule(&case));
    assert!(error > 0.1, "{error:.1e}");
}

/// With one feature there is nothing left after centering, so nothing reaches the target.
#[test]
fn the_only_feature_of_a_norm_gets_exactly_nothing() {
    for &place in PLACES {
        let case = NormCase {
            rows: 3,
            features: 1,
            scale: NormScale::InsideRoot(1e-12),
            x: vec![2.0, 0.0, -5.0],
            gamma: None,
            beta: None,
            upstream: vec![1.0, 2.0, 3.0],
        };
        let mut relevance = explain_by("ln", &["x"], |pass| case.forward(place, pass));
        assert_eq!(numbers::<3>(relevance.take("x").unwrap()), [0.0; 3]);
    }
}

proptest! {
    #![proptest_config(super::support::properties(200))]

    #[test]
    fn detached_weights_are_the_ah_rule_at_any_shape(
        sizes in (1..4_usize, 1..4_usize, 1..12_usize, 1..12_usize, 1..9_usize),
        hide in prop_oneof![Just(Hide::Nothing), Just(Hide::PerText), Just(Hide::PerQuery)],
        seed in 0..1_000_000_u64,
    ) {
        let (batch, heads, queries, keys, features) = sizes;
        let mut head = Head::draw([batch, heads, queries, keys, features], hide, seed);
        keep_mixtures_from_zero(&mut head);
        for &place in PLACES {
            let mut relevance = explain_by("ah", &["x"], |pass| head.forward(place, pass));
            let found = numbers::<4>(relevance.take("x").unwrap());
            prop_assert!(difference(&found, &ah_rule(&head)) < place.tolerance());
        }
    }

    #[test]
    fn a_detached_scale_is_the_ln_rule_at_any_shape(
        rows in 1..9_usize,
        features in 2..40_usize,
        place in prop_oneof![
            Just(NormScale::InsideRoot as fn(f64) -> NormScale),
            Just(NormScale::OutsideRoot as fn(f64) -> NormScale),
            Just(NormScale::RootMeanSquare as fn(f64) -> NormScale),
        ],
        epsilon in prop_oneof![Just(1e-12), Just(1e-5), Just(0.1), Just(10.0)],
        gamma: bool,
        seed in 0..1_000_000_u64,
    ) {
        let case = NormCase::draw(rows, features, place(epsilon), seed);
        let case = case.with_affine(gamma, false, seed);
        for &place in PLACES {
            let mut relevance = explain_by("ln", &["x"], |pass| case.forward(place, pass));
            let found = numbers::<3>(relevance.take("x").unwrap());
            prop_assert!(difference(&found, &ln_rule(&case)) < place.tolerance());
        }
    }
}
