//! The uniform rule for products.

use burn::tensor::Tensor;
use relprop_rules::operations::{AttentionMix, AttentionScores};
use relprop_rules::{Operation, Pass, Registry, RuleSet};
use rstest::rstest;

use super::support::{Draw, PLACES, Place, difference, explain, numbers};

const HALF: &str = "name = \"one\"\n[[rules]]\nrule = \"half\"";

/// The relevance of two matrices of a single head, the first `[2, 3]`.
fn relevance<O>(operation: &O, right: [usize; 4], place: Place) -> [Vec<f64>; 2]
where
    O: Operation<Input = (Tensor<4>, Tensor<4>), Output = Tensor<4>>,
{
    let mut draw = Draw::new(5);
    let [a, b] = [(), ()].map(|()| draw.numbers(6));
    let upstream = draw.numbers(4);
    let rules = RuleSet::from_toml(HALF).unwrap();
    let model = |pass: &mut Pass| {
        let a = pass.signal("a", place.tensor(&a, [1, 1, 2, 3]));
        let b = pass.signal("b", place.tensor(&b, right));
        let y = pass.apply("product", operation, (a, b));
        (y * place.tensor(&upstream, [1, 1, 2, 2])).sum()
    };
    let mut found = explain(&rules, &Registry::default(), &["a", "b"], model);
    ["a", "b"].map(|site| numbers::<4>(found.take(site).unwrap()))
}

/// R(a_ik) = R(b_kj) = 1/2 sum of a_ik b_kj times the gradient, with plain loops.
fn twin(scale: f64, b_at: impl Fn(usize, usize) -> usize) -> (Vec<f64>, Vec<f64>) {
    let mut draw = Draw::new(5);
    let [a, b] = [(), ()].map(|()| draw.numbers(6));
    let upstream = draw.numbers(4);
    let (mut of_a, mut of_b) = (vec![0.0; 6], vec![0.0; 6]);
    for i in 0..2 {
        for k in 0..3 {
            for j in 0..2 {
                let part = scale * a[i * 3 + k] * b[b_at(k, j)] * upstream[i * 2 + j];
                of_a[i * 3 + k] += part / 2.0;
                of_b[b_at(k, j)] += part / 2.0;
            }
        }
    }
    (of_a, of_b)
}

#[rstest]
fn each_factor_gets_half() {
    for &place in PLACES {
        let scores = AttentionScores { scale: 0.5 };
        let runs = [
            (
                relevance(&scores, [1, 1, 2, 3], place),
                twin(0.5, |k, j| j * 3 + k),
            ),
            (
                relevance(&AttentionMix, [1, 1, 3, 2], place),
                twin(1.0, |k, j| k * 2 + j),
            ),
        ];
        for ([a, b], (of_a, of_b)) in runs {
            assert!(difference(&a, &of_a) < place.tolerance());
            assert!(difference(&b, &of_b) < place.tolerance());
        }
    }
}

/// The uniform rule depends on how a product of three is written: y = x1 x2 x3 at (2, 3, 4) gives
/// (6, 6, 12) as (x1 x2) x3 and (12, 6, 6) as x1 (x2 x3) (You et al. 2025).
#[test]
fn a_product_of_three_depends_on_its_brackets() {
    for &place in PLACES {
        let of = |left: bool| {
            let rules = RuleSet::from_toml(HALF).unwrap();
            let mut found = explain(&rules, &Registry::default(), &["1", "2", "3"], |pass| {
                let number = |x: f64| place.tensor(&[x], [1, 1, 1, 1]);
                let [x1, x2, x3] = [("1", 2.0), ("2", 3.0), ("3", 4.0)]
                    .map(|(site, x)| pass.signal(site, number(x)));
                let y = if left {
                    let inner = pass.apply("inner", &AttentionMix, (x1, x2));
                    pass.apply("outer", &AttentionMix, (inner, x3))
                } else {
                    let inner = pass.apply("inner", &AttentionMix, (x2, x3));
                    pass.apply("outer", &AttentionMix, (x1, inner))
                };
                y.sum()
            });
            ["1", "2", "3"].map(|site| numbers::<4>(found.take(site).unwrap())[0])
        };
        assert_eq!(of(true), [6.0, 6.0, 12.0]);
        assert_eq!(of(false), [12.0, 6.0, 6.0]);
    }
}
