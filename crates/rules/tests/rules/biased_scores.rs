//! Scores with a bias of positions, against plain loops.

use relprop_rules::explicit::attention::biased_scores;
use relprop_rules::operations::AttentionBias;
use relprop_rules::{Pass, Registry, RuleSet};
use rstest::rstest;

use super::support::{Draw, PLACES, difference, explain_by, numbers};

const SHAPE: [usize; 4] = [2, 3, 4, 5];
const COUNT: usize = 120;

/// Scores, the bias of each head, which is the same for both texts, and the upstream gradient.
fn drawn() -> [Vec<f64>; 3] {
    let mut draw = Draw::new(5);
    [COUNT, COUNT / 2, COUNT].map(|count| draw.numbers(count))
}

/// R(q) = q / (q + b) R(y), with R(y) = (q + b) u.
fn twin() -> Vec<f64> {
    let [scores, bias, upstream] = drawn();
    let mut relevance = vec![0.0; COUNT];
    for (index, share) in relevance.iter_mut().enumerate() {
        let (q, b) = (scores[index], bias[index % (COUNT / 2)]);
        let of_y = (q + b) * upstream[index];
        *share = q / (q + b) * of_y;
    }
    relevance
}

#[rstest]
fn scores_keep_their_share(
    #[values("gradient-x-input", "ah-ln", "attn-lrp", "libra")] preset: &str,
) {
    let [scores, bias, upstream] = drawn();
    for &place in PLACES {
        let operation = AttentionBias {
            bias: place.tensor(&bias, [1, 3, 4, 5]),
        };
        let mut found = explain_by(preset, &["scores"], |pass: &mut Pass| {
            let scores = pass.signal("scores", place.tensor(&scores, SHAPE));
            let y = pass.apply("here", &operation, scores);
            (y * place.tensor(&upstream, SHAPE)).sum()
        });
        let found = numbers::<4>(found.take("scores").unwrap());
        let error = difference(&found, &twin());
        assert!(error < place.tolerance(), "{place:?}: {error:.1e}");

        let whole = [&bias[..], &bias[..]].concat();
        let y: Vec<f64> = scores.iter().zip(&whole).map(|(q, b)| q + b).collect();
        let of_y: Vec<f64> = y.iter().zip(&upstream).map(|(y, u)| y * u).collect();
        let [scores, bias, of_y] = [&scores, &whole, &of_y].map(|x| place.tensor(x, SHAPE));
        let by_law = numbers::<4>(biased_scores(scores, bias, of_y));
        let error = difference(&by_law, &twin());
        // A sum near zero is divided by.
        assert!(error < 100.0 * place.tolerance(), "{place:?}: {error:.1e}");
    }
}

/// What the scores do not keep is the line of the bias in the ledger.
#[test]
fn the_ledger_has_the_share_of_the_bias() {
    let [scores, bias, upstream] = drawn();
    let rules = RuleSet::preset("gradient-x-input").unwrap();
    let place = PLACES[0];
    let model = |pass: &mut Pass| {
        let operation = AttentionBias {
            bias: place.tensor(&bias, [1, 3, 4, 5]),
        };
        let scores = pass.signal("scores", place.tensor(&scores, SHAPE));
        let y = pass.apply("here", &operation, scores);
        (y * place.tensor(&upstream, SHAPE)).sum()
    };
    let mut trace = Pass::trace();
    model(&mut trace);
    let rules = rules
        .bind(&trace.into_sites(), &Registry::default())
        .unwrap();
    let mut pass = Pass::new(&rules).with_ledger(["scores"]);
    let target = model(&mut pass);
    let ledger = pass.backward(target).take_ledger().unwrap().unwrap();
    let expected: f64 = (0..COUNT)
        .map(|index| bias[index % (COUNT / 2)] * upstream[index])
        .sum();
    let absorbed: Vec<_> = ledger.absorbed().collect();
    assert_eq!((absorbed.len(), absorbed[0].kind), (1, "position bias"));
    assert!((absorbed[0].relevance - expected).abs() < 1e-4);
    assert!(ledger.unaccounted().abs() < 1e-4);
}
