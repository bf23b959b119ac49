//! Rotary positions, against plain loops.

use relprop_rules::Pass;
use relprop_rules::operations::Rotary;
use rstest::rstest;

use super::support::{Draw, PLACES, Place, difference, explain_by, numbers};

const SHAPE: [usize; 4] = [2, 3, 4, 6];

/// x, the upstream gradient, and the angles: one for each text, position and pair of features.
fn numbers_of_the_case() -> (Vec<f64>, Vec<f64>, Vec<f64>) {
    let mut draw = Draw::new(3);
    let count = SHAPE.iter().product();
    let [x, upstream] = [(), ()].map(|()| draw.numbers(count));
    let angles = draw.numbers(2 * 4 * 3).iter().map(|a| 3.0 * a).collect();
    (x, upstream, angles)
}

/// The value and R(x) = x^T (the rotation's transpose times the gradient), pair by pair.
fn twin() -> (Vec<f64>, Vec<f64>) {
    let (x, upstream, angles) = numbers_of_the_case();
    let [mut value, mut relevance] = [vec![0.0; x.len()], vec![0.0; x.len()]];
    let [batch, heads, positions, features] = SHAPE;
    for text in 0..batch {
        for head in 0..heads {
            for position in 0..positions {
                for pair in 0..features / 2 {
                    let angle = angles[(text * positions + position) * features / 2 + pair];
                    let row = ((text * heads + head) * positions + position) * features;
                    let (a, b) = (row + pair, row + pair + features / 2);
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

fn found(preset: &str, place: Place) -> (Vec<f64>, Vec<f64>) {
    let (x, upstream, angles) = numbers_of_the_case();
    let part = |part: fn(f64) -> f64| {
        let values: Vec<f64> = angles.iter().copied().map(part).collect();
        place.tensor(&values, [2, 1, 4, 3])
    };
    let rotary = Rotary {
        cos: part(f64::cos),
        sin: part(f64::sin),
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
fn pairs_of_features_are_turned_and_relevance_is_turned_back() {
    let (value, relevance) = twin();
    for preset in ["gradient-x-input", "ah-ln", "attn-lrp", "libra", "gamma"] {
        for &place in PLACES {
            let found = found(preset, place);
            assert!(difference(&found.0, &value) < place.tolerance(), "{preset}");
            assert!(
                difference(&found.1, &relevance) < place.tolerance(),
                "{preset}"
            );
        }
    }
}

/// It conserves pair by pair: a rotation is linear without a bias.
#[test]
fn a_rotation_conserves() {
    let (value, relevance) = twin();
    let (_, upstream, _) = numbers_of_the_case();
    let held: f64 = value.iter().zip(&upstream).map(|(y, u)| y * u).sum();
    assert!((held - relevance.iter().sum::<f64>()).abs() < 1e-12);
}
