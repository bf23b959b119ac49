//! Rotary positions, against plain loops.

use relprop_rules::Pass;
use relprop_rules::operations::{Pairs, Rotary};
use rstest::rstest;

use super::support::{Draw, PLACES, Place, difference, explain_by, numbers};

/// Of eight features, three pairs are turned.
const SHAPE: [usize; 4] = [2, 3, 4, 8];
const PAIRS: usize = 3;

const KINDS: [Pairs; 2] = [Pairs::Halves, Pairs::Neighbours];

/// x, the upstream gradient, and the angles: one for each text, position and pair of features.
fn numbers_of_the_case() -> (Vec<f64>, Vec<f64>, Vec<f64>) {
    let mut draw = Draw::new(3);
    let count = SHAPE.iter().product();
    let [x, upstream] = [(), ()].map(|()| draw.numbers(count));
    let angles = draw
        .numbers(2 * 4 * PAIRS)
        .iter()
        .map(|a| 3.0 * a)
        .collect();
    (x, upstream, angles)
}

/// The value and R(x) = x^T (the rotation's transpose times the gradient), pair by pair. What is not turned
/// keeps both.
fn twin(pairs: Pairs) -> (Vec<f64>, Vec<f64>) {
    let (x, upstream, angles) = numbers_of_the_case();
    let mut value = x.clone();
    let mut relevance: Vec<f64> = x.iter().zip(&upstream).map(|(x, u)| x * u).collect();
    let [batch, heads, positions, features] = SHAPE;
    for text in 0..batch {
        for head in 0..heads {
            for position in 0..positions {
                for pair in 0..PAIRS {
                    let angle = angles[(text * positions + position) * PAIRS + pair];
                    let row = ((text * heads + head) * positions + position) * features;
                    let (a, b) = match pairs {
                        Pairs::Halves => (row + pair, row + pair + PAIRS),
                        Pairs::Neighbours => (row + 2 * pair, row + 2 * pair + 1),
                    };
                    value[a] = x[a] * angle.cos() - x[b] * angle.sin();
                    value[b] = x[a] * angle.sin() + x[b] * angle.cos();
                    relevance[a] = x[a] * (angle.cos() * upstream[a] + angle.sin() * upstream[b]);
                    relevance[b] = x[b] * (angle.cos() * upstream[b] - angle.sin() * upstream[a]);
                }
            }
        }
    }
    (value, relevance)
}

fn found(preset: &str, pairs: Pairs, place: Place) -> (Vec<f64>, Vec<f64>) {
    let (x, upstream, angles) = numbers_of_the_case();
    let part = |part: fn(f64) -> f64| {
        let values: Vec<f64> = angles.iter().copied().map(part).collect();
        place.tensor(&values, [2, 1, 4, PAIRS])
    };
    let rotary = Rotary {
        cos: part(f64::cos),
        sin: part(f64::sin),
        pairs,
    };
    let mut found = explain_by(preset, &["x", "y"], |pass: &mut Pass| {
        let x = pass.signal("x", place.tensor(&x, SHAPE));
        let y = pass.apply("y", &rotary, x);
        (y * place.tensor(&upstream, SHAPE)).sum()
    });
    let value = found.read::<4>("y").unwrap().signal;
    (numbers(value), numbers::<4>(found.take("x").unwrap()))
}

#[rstest]
fn pairs_of_features_are_turned_and_relevance_is_turned_back(
    #[values(Pairs::Halves, Pairs::Neighbours)] pairs: Pairs,
) {
    let (value, relevance) = twin(pairs);
    for preset in ["gradient-x-input", "ah-ln", "attn-lrp", "libra", "gamma"] {
        for &place in PLACES {
            let found = found(preset, pairs, place);
            let errors = [(&found.0, &value), (&found.1, &relevance)];
            for (found, expected) in errors {
                let error = difference(found, expected);
                assert!(error < place.tolerance(), "{preset}: {error:.1e}");
            }
        }
    }
}

/// It conserves pair by pair: a rotation is linear without a bias.
#[test]
fn a_rotation_conserves() {
    for pairs in KINDS {
        let (value, relevance) = twin(pairs);
        let (_, upstream, _) = numbers_of_the_case();
        let held: f64 = value.iter().zip(&upstream).map(|(y, u)| y * u).sum();
        assert!((held - relevance.iter().sum::<f64>()).abs() < 1e-12);
    }
}
