//! Scores of contents against distances, against plain loops.

use burn::tensor::{Int, Tensor, TensorData};
use relprop_rules::Pass;
use relprop_rules::explicit::attention::position_scores;
use relprop_rules::operations::PositionScores;
use rstest::rstest;

use super::support::{Draw, PLACES, Place, difference, explain_by, numbers};

const BATCH: usize = 2;
const HEADS: usize = 3;
const TOKENS: usize = 4;
const FEATURES: usize = 5;
const BUCKETS: usize = 3;
const SCALE: f64 = 0.7;

/// x, the vectors of the buckets, and the upstream gradient.
fn drawn() -> [Vec<f64>; 3] {
    let mut draw = Draw::new(6);
    [
        BATCH * HEADS * TOKENS * FEATURES,
        HEADS * BUCKETS * FEATURES,
        BATCH * HEADS * TOKENS * TOKENS,
    ]
    .map(|count| draw.numbers(count))
}

fn bucket(i: usize, j: usize) -> usize {
    (2 * i + j) % BUCKETS
}

/// The value, and R(x) = x dy/dx, pair by pair.
fn twin() -> (Vec<f64>, Vec<f64>) {
    let [x, vectors, upstream] = drawn();
    let [mut value, mut relevance] = [vec![0.0; upstream.len()], vec![0.0; x.len()]];
    for head in 0..BATCH * HEADS {
        for i in 0..TOKENS {
            for j in 0..TOKENS {
                let pair = (head * TOKENS + i) * TOKENS + j;
                for feature in 0..FEATURES {
                    let at = (head * TOKENS + i) * FEATURES + feature;
                    let row = head % HEADS * BUCKETS + bucket(i, j);
                    let term = SCALE * x[at] * vectors[row * FEATURES + feature];
                    value[pair] += term;
                    relevance[at] += term * upstream[pair];
                }
            }
        }
    }
    (value, relevance)
}

fn operation(place: Place) -> PositionScores {
    let pairs = (0..TOKENS * TOKENS).map(|pair| bucket(pair / TOKENS, pair % TOKENS) as i64);
    let pairs = TensorData::new(pairs.collect(), [1, 1, TOKENS, TOKENS]);
    PositionScores {
        positions: place.tensor(&drawn()[1], [1, HEADS, BUCKETS, FEATURES]),
        buckets: Tensor::<4, Int>::from_data(pairs, &place.device()),
        scale: SCALE,
    }
}

#[rstest]
fn scores_of_distances_are_linear_and_conserve(
    #[values("gradient-x-input", "ah-ln", "attn-lrp", "libra")] preset: &str,
) {
    let [x, _, upstream] = drawn();
    let (value, relevance) = twin();
    for &place in PLACES {
        let mut found = explain_by(preset, &["x", "y"], |pass: &mut Pass| {
            let x = pass.signal("x", place.tensor(&x, [BATCH, HEADS, TOKENS, FEATURES]));
            let y = pass.apply("y", &operation(place), x);
            (y * place.tensor(&upstream, [BATCH, HEADS, TOKENS, TOKENS])).sum()
        });
        let errors = [
            difference(&numbers(found.read::<4>("y").unwrap().signal), &value),
            difference(&numbers::<4>(found.take("x").unwrap()), &relevance),
        ];
        assert!(
            errors.iter().all(|error| *error < place.tolerance()),
            "{place:?}: {errors:?}"
        );
    }
    let held: f64 = value.iter().zip(&upstream).map(|(y, u)| y * u).sum();
    assert!((held - relevance.iter().sum::<f64>()).abs() < 1e-12);
}

/// The law that is written out gives the same.
#[test]
fn the_law_is_the_gradient() {
    let [x, vectors, upstream] = drawn();
    let (value, relevance) = twin();
    let mut pairs = Vec::new();
    for head in 0..BATCH * HEADS {
        for i in 0..TOKENS {
            for j in 0..TOKENS {
                let row = (head % HEADS * BUCKETS + bucket(i, j)) * FEATURES;
                pairs.extend_from_slice(&vectors[row..row + FEATURES]);
            }
        }
    }
    let of_y: Vec<f64> = value.iter().zip(&upstream).map(|(y, u)| y * u).collect();
    for &place in PLACES {
        let of_x = position_scores(
            place.tensor(&x, [BATCH, HEADS, TOKENS, FEATURES]),
            place.tensor(&pairs, [BATCH, HEADS, TOKENS, TOKENS, FEATURES]),
            place.tensor(&of_y, [BATCH, HEADS, TOKENS, TOKENS]),
        );
        let error = difference(&numbers(of_x), &relevance);
        // A score near zero is divided by.
        assert!(error < 100.0 * place.tolerance(), "{place:?}: {error:.1e}");
    }
}
