//! The methods on attention weights.

use rstest::rstest;

use crate::support::{Matrix, alone, attention, encode};
use relprop_testing::{ARCHITECTURES, Architecture, difference, model};

/// The mean over heads of `value(A, dA)`.
fn mean_of_heads(
    (weights, gradients): &(Vec<Matrix>, Vec<Matrix>),
    value: fn(f64, f64) -> f64,
) -> Matrix {
    let (heads, n) = (weights.len(), weights[0].len());
    let mut mean = vec![vec![0.0; n]; n];
    for head in 0..heads {
        for q in 0..n {
            for k in 0..n {
                mean[q][k] += value(weights[head][q][k], gradients[head][q][k]) / heads as f64;
            }
        }
    }
    mean
}

fn weight(a: f64, _: f64) -> f64 {
    a
}

fn positive(a: f64, gradient: f64) -> f64 {
    (a * gradient).max(0.0)
}

/// Rows of the matrix plus identity, scaled to sum to 1.
fn with_residual(mut map: Matrix) -> Matrix {
    for (q, row) in map.iter_mut().enumerate() {
        row[q] += 1.0;
        let sum: f64 = row.iter().sum();
        row.iter_mut().for_each(|x| *x /= sum);
    }
    map
}

fn product(a: &Matrix, b: &Matrix) -> Matrix {
    let n = a.len();
    let mut product = vec![vec![0.0; n]; n];
    for i in 0..n {
        for j in 0..n {
            for k in 0..n {
                product[i][j] += a[i][k] * b[k][j];
            }
        }
    }
    product
}

fn column_sums(map: &Matrix) -> Vec<f64> {
    let mut sums = vec![0.0; map.len()];
    for row in map {
        for (sum, x) in sums.iter_mut().zip(row) {
            *sum += x;
        }
    }
    sums
}

/// The last map times ... times the first.
fn joint(maps: Vec<Matrix>) -> Matrix {
    let mut maps = maps.into_iter().map(with_residual);
    let first = maps.next().unwrap();
    maps.fold(first, |joint, map| product(&map, &joint))
}

/// The maximum flow from node `source` to node `sink`: the smallest capacity of all cuts, which are
/// tried one by one (Ford and Fulkerson 1956).
fn smallest_cut(capacity: &Matrix, source: usize, sink: usize) -> f64 {
    let nodes = capacity.len();
    let mut smallest = f64::INFINITY;
    for set in 0_usize..1 << nodes {
        let inside = |node: usize| set >> node & 1 == 1;
        if !inside(source) || inside(sink) {
            continue;
        }
        let mut cut = 0.0;
        for from in (0..nodes).filter(|&node| inside(node)) {
            for to in (0..nodes).filter(|&node| !inside(node)) {
                cut += capacity[from][to];
            }
        }
        smallest = smallest.min(cut);
    }
    smallest
}

fn flow(maps: Vec<Matrix>) -> Matrix {
    let (blocks, n) = (maps.len(), maps[0].len());
    let nodes = (blocks + 1) * n;
    let mut capacity = vec![vec![0.0; nodes]; nodes];
    for (block, map) in maps.into_iter().map(with_residual).enumerate() {
        for q in 0..n {
            for k in 0..n {
                capacity[(block + 1) * n + q][block * n + k] = map[q][k];
            }
        }
    }
    let row = |q: usize| {
        let flows: Vec<f64> = (0..n)
            .map(|k| smallest_cut(&capacity, blocks * n + q, k))
            .collect();
        let sum: f64 = flows.iter().sum();
        flows.iter().map(|flow| flow / sum).collect()
    };
    (0..n).map(row).collect()
}

#[rstest]
#[case("attention-last")]
#[case("attention-rollout")]
#[case("grad-rollout")]
#[case("gae")]
fn maps_are_combined_as_in_plain_loops(
    #[case] name: &str,
    #[values(0, 1, 2)] architecture: usize,
    #[values(0, 2)] label: usize,
) {
    let model = model(&ARCHITECTURES[architecture].config());
    for text in ["warm", "a warm , funny film that never gets dull"] {
        let text = encode(&model, text);
        let blocks = attention(&model, &text, label);
        let maps = |value| -> Vec<Matrix> {
            let maps = blocks.iter().map(|block| mean_of_heads(block, value));
            maps.collect()
        };
        let expected = match name {
            "attention-last" => column_sums(&maps(weight).pop().unwrap()),
            "attention-rollout" => column_sums(&joint(maps(weight))),
            "grad-rollout" => {
                let mut joint = joint(maps(positive));
                joint[0][0] = 0.0;
                column_sums(&joint)
            }
            _ => {
                let n = text.tokens.len();
                let mut sum: Matrix = (0..n)
                    .map(|q| (0..n).map(|k| f64::from(u8::from(q == k))).collect())
                    .collect();
                for map in maps(positive) {
                    let more = product(&map, &sum);
                    for (row, more) in sum.iter_mut().zip(more) {
                        row.iter_mut().zip(more).for_each(|(x, m)| *x += m);
                    }
                }
                let mut row = sum.swap_remove(0);
                row[0] = 0.0;
                // The smallest is the first token's 0.
                let largest = row.iter().copied().fold(0.0, f64::max);
                row.iter().map(|x| x / largest).collect()
            }
        };
        let found = alone(&model, name, &text, label);
        let error = difference(&found, &expected);
        assert!(error < 1e-5, "{error:.1e}");
    }
}

#[test]
fn flow_is_the_smallest_cut() {
    for architecture in [Architecture::PostNorm, Architecture::AttentionOnly] {
        let model = model(&architecture.config());
        // Three tokens, three or four layers of nodes.
        let text = encode(&model, "warm");
        assert_eq!(text.tokens.len(), 3);
        let blocks = attention(&model, &text, 0);
        let maps = blocks.iter().map(|block| mean_of_heads(block, weight));
        let expected = column_sums(&flow(maps.collect()));
        let found = alone(&model, "attention-flow", &text, 0);
        let error = difference(&found, &expected);
        assert!(error < 1e-5, "{error:.1e}");
    }
}

#[test]
fn a_text_that_flow_would_take_too_long_for_is_refused_with_the_way_out() {
    let model = model(&Architecture::PostNorm.config());
    let text = encode(&model, "a warm , funny film");
    let method = relprop_testing::method("attention-flow:longest=4", &model, 0).unwrap();
    let error = method.relevance(&[&text], 0).unwrap_err().to_string();
    assert!(
        error.contains("7 tokens") && error.contains("attention-flow:longest=7"),
        "{error}"
    );
}
