//! What conserves relevance, and by exactly how much the rest does not.

use relprop_rules::operations::NormScale;
use rstest::rstest;

use super::support::{Head, Hide, NormCase, PLACES, Place, difference, explain_by, numbers};
use super::twins;

/// The sum of relevance of each row, before and after a norm.
fn row_sums(preset: &str, case: &NormCase, place: Place) -> [Vec<f64>; 2] {
    let mut relevance = explain_by(preset, &["x", "norm"], |pass| case.forward(place, pass));
    ["x", "norm"].map(|site| {
        let relevance = numbers::<3>(relevance.take(site).unwrap());
        relevance
            .chunks(case.features)
            .map(|row| row.iter().sum())
            .collect()
    })
}

/// The biased variance and the unbiased deviation of a row.
fn spread(row: &[f64]) -> (f64, f64) {
    let n = row.len() as f64;
    let mean = row.iter().sum::<f64>() / n;
    let squares: f64 = row.iter().map(|x| (x - mean) * (x - mean)).sum();
    (squares / n, (squares / (n - 1.0)).sqrt())
}

/// A norm whose relevance is positive at every output, so that its sum does not cancel and
/// relative errors mean something.
fn positive(scale: NormScale, seed: u64) -> NormCase {
    let mut case = NormCase::draw(6, 9, scale, seed);
    for (row, upstream) in case.x.chunks(9).zip(case.upstream.chunks_mut(9)) {
        let mean = row.iter().sum::<f64>() / 9.0;
        for (x, upstream) in row.iter().zip(upstream) {
            *upstream = upstream.abs() * (x - mean).signum();
        }
    }
    case
}

#[rstest]
fn the_ln_rule_conserves_whatever_epsilon(
    #[values(1e-12, 1e-5, 0.1, 10.0)] epsilon: f64,
    #[values(
        NormScale::InsideRoot,
        NormScale::OutsideRoot,
        NormScale::RootMeanSquare
    )]
    norm: fn(f64) -> NormScale,
    #[values(0, 1)] seed: u64,
) {
    for &place in PLACES {
        let [before, after] = row_sums("ln", &positive(norm(epsilon), seed), place);
        for (before, after) in before.iter().zip(&after) {
            let error = (before / after - 1.0).abs();
            assert!(error < place.tolerance(), "{place:?}: {error:.1e}");
        }
    }
}

#[rstest]
fn the_plain_gradient_keeps_epsilon_of_epsilon_plus_spread(
    #[values(1e-3, 0.1, 1.0, 10.0)] epsilon: f64,
    #[values(
        NormScale::InsideRoot,
        NormScale::OutsideRoot,
        NormScale::RootMeanSquare
    )]
    norm: fn(f64) -> NormScale,
    #[values(0, 1)] seed: u64,
) {
    for &place in PLACES {
        let case = positive(norm(epsilon), seed);
        let [before, after] = row_sums("gradient-x-input", &case, place);
        for ((before, after), row) in before.iter().zip(&after).zip(case.x.chunks(9)) {
            let (variance, deviation) = spread(row);
            let kept = match case.scale {
                NormScale::InsideRoot(_) => epsilon / (epsilon + variance),
                NormScale::OutsideRoot(_) => epsilon / (deviation + epsilon),
                NormScale::RootMeanSquare(_) => {
                    let mean_square = row.iter().map(|x| x * x).sum::<f64>() / row.len() as f64;
                    epsilon / (epsilon + mean_square)
                }
            };
            // Only f64 has the digits to tell a small rest of `after` from none to all its digits.
            let unit = if place == Place::F64 { kept } else { 1.0 };
            let error = (before / after - kept).abs() / unit;
            assert!(error < place.tolerance(), "{place:?}: {error:.1e}");
        }
    }
}

/// With the epsilon of BERT nothing at all is left of the relevance.
#[rstest]
#[case(NormScale::InsideRoot(1e-12))]
#[case(NormScale::OutsideRoot(1e-12))]
#[case(NormScale::RootMeanSquare(1e-12))]
fn the_plain_gradient_loses_everything_at_a_tiny_epsilon(#[case] scale: NormScale) {
    for &place in PLACES {
        let [before, after] = row_sums("gradient-x-input", &positive(scale, 0), place);
        for (before, after) in before.iter().zip(&after) {
            assert!((before / after).abs() < place.tolerance());
        }
    }
}

#[rstest]
fn what_the_ln_rule_loses_is_beta_times_gradient(
    #[values(NormScale::InsideRoot(1e-5), NormScale::OutsideRoot(0.1))] scale: NormScale,
    #[values(0, 1, 2)] seed: u64,
) {
    for &place in PLACES {
        let case = NormCase::draw(6, 9, scale, seed).with_affine(true, true, seed);
        let [before, after] = row_sums("ln", &case, place);
        let lost: Vec<f64> = after
            .iter()
            .zip(&before)
            .map(|(after, before)| after - before)
            .collect();
        // The gradient at the norm's output is `upstream`: the target is their product's sum.
        let beta = case.beta.as_ref().unwrap();
        let absorbed = case
            .upstream
            .chunks(9)
            .map(|row| row.iter().zip(beta).map(|(g, b)| g * b).sum());
        let error = difference(&lost, &absorbed.collect::<Vec<f64>>());
        assert!(error < place.tolerance(), "{place:?}: {error:.1e}");
    }
}

#[rstest]
fn the_ah_rule_conserves(#[values(Hide::Nothing, Hide::PerQuery)] hide: Hide) {
    for &place in PLACES {
        let head = Head::draw([2, 3, 5, 5, 4], hide, 3);
        let mut relevance = explain_by("ah", &["x", "mix"], |pass| head.forward(place, pass));
        let mut sum = |site| {
            numbers::<4>(relevance.take(site).unwrap())
                .iter()
                .sum::<f64>()
        };
        let (before, after) = (sum("x"), sum("mix"));
        let error = (before / after - 1.0).abs();
        assert!(error < place.tolerance(), "{place:?}: {before} {after}");
    }
}

/// Relevance is the signal times its gradient and no signal here is zero, so this holds for the
/// gradient too.
#[test]
fn under_ah_queries_and_keys_get_exactly_nothing_and_values_everything() {
    for &place in PLACES {
        let head = Head::draw([2, 3, 5, 5, 4], Hide::Nothing, 4);
        let sites = ["query", "key", "asking", "value"];
        let mut ah = explain_by("ah", &sites, |pass| head.forward(place, pass));
        let mut plain = explain_by("gradient-x-input", &sites, |pass| head.forward(place, pass));
        for site in ["query", "key", "asking"] {
            assert!(
                numbers::<4>(ah.take(site).unwrap())
                    .iter()
                    .all(|r| *r == 0.0),
                "{site}"
            );
            assert!(
                numbers::<4>(plain.take(site).unwrap())
                    .iter()
                    .all(|r| *r != 0.0),
                "{site}"
            );
        }
        assert!(
            numbers::<4>(ah.take("value").unwrap())
                .iter()
                .all(|r| *r != 0.0)
        );
    }
}

/// The paper's first proposition: Gradient x Input through a head without biases gives
/// sum R(x) + sum R(x') = sum R(y) + 2 sum_j (df/dy_j) . Cov_p(q_j, x).
#[rstest]
#[case([1, 1, 1, 4, 2], Hide::Nothing)]
#[case([2, 3, 5, 4, 3], Hide::Nothing)]
#[case([2, 3, 5, 4, 3], Hide::PerQuery)]
fn the_plain_gradient_of_a_head_gains_twice_the_covariance(
    #[case] sizes: [usize; 5],
    #[case] hide: Hide,
    #[values(0, 1, 2)] seed: u64,
) {
    for &place in PLACES {
        let head = Head::draw(sizes, hide, seed);
        let sites = ["x", "asking", "mix"];
        let mut relevance =
            explain_by("gradient-x-input", &sites, |pass| head.forward(place, pass));
        let [x, asking, y] = sites.map(|site| {
            numbers::<4>(relevance.take(site).unwrap())
                .iter()
                .sum::<f64>()
        });
        let gained = 2.0 * covariance(&head);
        let error = (x + asking - y - gained).abs() / gained.abs();
        println!("{x:.3} + {asking:.3} - {y:.3} = {gained:.3}, error {error:.1e}");
        assert!(error < place.tolerance(), "{place:?}: {error:.1e}");
    }
}

/// sum_j (df/dy_j) . sum_i p_ij (q_ij - E_p q_j) x_i, by loops.
fn covariance(head: &Head) -> f64 {
    let (n, keys, queries) = (head.features, head.keys, head.queries);
    let p = twins::weights(head);
    let mut sum = 0.0;
    for group in 0..head.batch * head.heads {
        for j in 0..queries {
            let p = &p[(group * queries + j) * keys..][..keys];
            // Up to a constant a score is the logarithm of its weight, and a covariance does not
            // see constants. Hidden keys have no weight, so their score does not matter.
            let q: Vec<f64> = p
                .iter()
                .map(|p| if *p > 0.0 { p.ln() } else { 0.0 })
                .collect();
            let mean: f64 = p.iter().zip(&q).map(|(p, q)| p * q).sum();
            for (i, (p, q)) in p.iter().zip(&q).enumerate() {
                for feature in 0..n {
                    sum += head.upstream[(group * queries + j) * n + feature]
                        * (p * (q - mean) * head.x[(group * keys + i) * n + feature]);
                }
            }
        }
    }
    sum
}
