//! A rule changes only what flows back: values are those of the operation, to the last bit. Where kernels
//! are fused, what is computed beside a value decides how its kernel rounds; there it is the same up to
//! rounding.

use std::collections::BTreeSet;

use burn::tensor::{Bool, DType, Int, Tensor, TensorData};
use relprop_rules::operations::{
    Activation, AttentionBias, AttentionMix, AttentionScores, AttentionWeights, EmbeddingSum,
    ExpertProduct, Gate, Linear, Norm, NormScale, Pairs, Pooling, PositionScores, Residual, Rotary,
    RouterWeights,
};
use relprop_rules::{Assignment, Operation, Pass, Registry, RuleSet};
use rstest::rstest;

use super::support::{Draw, PLACES, Place, difference, numbers, single_places};

const BATCH: usize = 2;
const HEADS: usize = 2;
const FEATURES: usize = 6;

/// What an operation is fed with.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fill {
    Random,
    Zeros,
    NegativeZeros,
    /// Every other row of features is zero.
    ZeroRows,
    /// Near 1e-30: squares are zero in f32.
    Tiny,
    /// Near 1e18: squares still fit into f32.
    Large,
}

/// Makes inputs, all of one fill, each another one.
struct Inputs {
    place: Place,
    fill: Fill,
    tokens: usize,
}

impl Inputs {
    fn tensor<const D: usize>(&self, shape: [usize; D], seed: u64) -> Tensor<D> {
        let mut draw = Draw::new(seed);
        let last = shape[D - 1];
        let values: Vec<f64> = (0..shape.iter().product())
            .map(|place| match self.fill {
                Fill::Random => draw.number(),
                Fill::Zeros => 0.0,
                Fill::NegativeZeros => -0.0,
                Fill::ZeroRows if (place / last).is_multiple_of(2) => 0.0,
                Fill::ZeroRows => draw.number(),
                Fill::Tiny => 1e-30 * draw.number(),
                Fill::Large => 1e18 * draw.number(),
            })
            .collect();
        self.place.tensor(&values, shape)
    }

    fn hidden_state(&self, seed: u64) -> Tensor<3> {
        self.tensor([BATCH, self.tokens, FEATURES], seed)
    }

    fn head_state(&self, seed: u64) -> Tensor<4> {
        self.tensor([BATCH, HEADS, self.tokens, FEATURES], seed)
    }

    fn scores(&self, seed: u64) -> Tensor<4> {
        self.tensor([BATCH, HEADS, self.tokens, self.tokens], seed)
    }

    /// Hides every third key of the first text, and every key of the second.
    fn hidden(&self) -> Tensor<4, Bool> {
        let keys = (0..BATCH * self.tokens)
            .map(|place| place >= self.tokens || place % 3 == 1)
            .collect::<Vec<_>>();
        self.place.mask(&keys, [BATCH, 1, 1, self.tokens])
    }
}

/// The bits of every number. A rule may turn -0.0 into 0.0 by adding a zero; the two are equal and
/// no operation tells them apart. So zeros lose their sign here.
fn bits<const D: usize>(tensor: Tensor<D>) -> Vec<u32> {
    let values: Vec<f32> = tensor.into_data_as::<f32>().try_into_vec().unwrap();
    values.into_iter().map(|x| (x + 0.0).to_bits()).collect()
}

/// The same up to a few roundings, of the largest number.
fn near(found: &[f64], expected: &[f64]) -> bool {
    expected == found || difference(found, expected) < 1e-6
}

/// Parameters for the rules that need some.
fn parameters(rule: &str) -> toml::Table {
    let text = match rule {
        "epsilon" => "epsilon = 0.1",
        "gamma" | "gamma-positive" => "gamma = 0.25",
        "alpha-beta" => "alpha = 2.0\nbeta = 1.0",
        _ => "",
    };
    text.parse().unwrap()
}

/// Asks for relevance at `0`, `1`, ...
fn with_probes(pass: Pass, arity: usize) -> Pass {
    (0..arity).fold(pass, |pass, index| pass.with_probe(index.to_string()))
}

/// Checks every rule that the operation has: the value to the last bit, and finite gradients at
/// every input. `input` names its tensors `0`, `1`, ... with `Pass::signal`. Gives the operation's
/// name.
fn check<O, const IN: usize, const OUT: usize>(
    place: Place,
    operation: &O,
    arity: usize,
    input: impl Fn(&mut Pass) -> O::Input,
) -> &'static str
where
    O: Operation<Output = Tensor<OUT>>,
{
    // Burn's own softmax differs in the last bits on tracked tensors. The claim is about the same input,
    // so it is tracked here too.
    let expected = operation.forward(input(&mut with_probes(Pass::plain(), arity)));
    assert!(
        numbers(expected.clone()).iter().all(|y| y.is_finite()),
        "{} overflows",
        O::NAME
    );
    let registry = Registry::default();
    for rule in registry.rules(O::NAME) {
        let mut trace = Pass::trace();
        let x = input(&mut trace);
        trace.apply("here", operation, x);
        let mut assignment = Assignment::new("*", O::NAME, rule);
        assignment.parameters = parameters(rule);
        let rules = vec![assignment];
        let rules = RuleSet {
            name: rule.to_owned(),
            rules,
        };
        let rules = rules.bind(&trace.into_sites(), &registry).unwrap();

        let mut pass = with_probes(Pass::new(&rules), arity);
        let x = input(&mut pass);
        let y = pass.apply("here", operation, x);
        let same = match place.is_fused() {
            false => bits(y.clone()) == bits(expected.clone()),
            true => near(&numbers(y.clone()), &numbers(expected.clone())),
        };
        assert!(same, "{} under {rule} on {place:?}: another value", O::NAME);

        let upstream = place.draw(y.dims(), 99);
        let mut relevance = pass.backward((y * upstream).sum());
        for index in 0..arity {
            // All inputs are finite, and zero times infinity is not a number: if the product is
            // finite, so is the gradient.
            let relevance = numbers::<IN>(relevance.take(&index.to_string()).unwrap());
            let finite = relevance.iter().all(|r| r.is_finite());
            assert!(
                finite,
                "{} under {rule} on {place:?}: the gradient at input {index}",
                O::NAME
            );
        }
    }
    O::NAME
}

#[rstest]
fn every_rule_gives_the_value_of_its_operation_to_the_last_bit(
    #[values(
        Fill::Random,
        Fill::Zeros,
        Fill::NegativeZeros,
        Fill::ZeroRows,
        Fill::Tiny,
        Fill::Large
    )]
    fill: Fill,
    #[values(1, 7, 512)] tokens: usize,
) {
    for place in single_places() {
        let inputs = &Inputs {
            place,
            fill,
            tokens,
        };
        let mut checked = BTreeSet::new();

        let one = |pass: &mut Pass| pass.signal("0", inputs.hidden_state(0));
        let two = |pass: &mut Pass| (one(pass), pass.signal("1", inputs.hidden_state(1)));
        for activation in Activation::ALL {
            checked.insert(check::<_, 3, 3>(place, &activation, 1, one));
        }
        for bias in [None, Some(place.draw([5], 11))] {
            let linear = Linear {
                weight: place.draw([FEATURES, 5], 10),
                bias,
            };
            checked.insert(check::<_, 3, 3>(place, &linear, 1, one));
        }
        for dtype in [DType::F16, DType::BF16] {
            // Large numbers are infinite in f16.
            if place.device().supports_dtype(dtype) && fill != Fill::Large {
                let linear = Linear {
                    weight: place.draw([FEATURES, 5], 10).cast(dtype),
                    bias: Some(place.draw([5], 11).cast(dtype)),
                };
                check::<_, 3, 3>(place, &linear, 1, one);
            }
        }
        for scale in [
            NormScale::InsideRoot(1e-12),
            NormScale::OutsideRoot(1e-12),
            NormScale::RootMeanSquare(1e-12),
        ] {
            for affine in [false, true] {
                let parameter = |seed| affine.then(|| place.draw([FEATURES], seed));
                let norm = Norm {
                    scale,
                    gamma: parameter(12),
                    beta: parameter(13),
                };
                checked.insert(check::<_, 3, 3>(place, &norm, 1, one));
            }
        }
        checked.insert(check::<_, 3, 3>(place, &Residual, 2, two));
        checked.insert(check::<_, 3, 3>(place, &Gate, 2, two));
        checked.insert(check::<_, 3, 3>(place, &ExpertProduct, 2, two));
        for normalized in [false, true] {
            // Every third expert is not chosen.
            let marks: Vec<bool> = (0..BATCH * tokens * FEATURES).map(|i| i % 3 == 1).collect();
            let marks = TensorData::new(marks, [BATCH, tokens, FEATURES]);
            let unchosen = Tensor::<3, Bool>::from_data(marks, &place.device());
            let router = RouterWeights {
                unchosen,
                normalized,
            };
            checked.insert(check::<_, 3, 3>(place, &router, 1, one));
        }
        checked.insert(check::<_, 3, 3>(place, &EmbeddingSum, 2, |pass| {
            let (first, second) = two(pass);
            (first, vec![second])
        }));
        let weights = place.draw([BATCH, 1, tokens], 14);
        checked.insert(check::<_, 3, 3>(place, &Pooling { weights }, 1, one));

        checked.insert(check::<_, 4, 4>(
            place,
            &AttentionScores { scale: 0.5 },
            2,
            |pass| {
                (
                    pass.signal("0", inputs.head_state(0)),
                    pass.signal("1", inputs.head_state(1)),
                )
            },
        ));
        for hidden in [None, Some(inputs.hidden())] {
            for sinks in [None, Some(place.draw([HEADS], 16))] {
                let hidden = hidden.clone();
                let weights = AttentionWeights { hidden, sinks };
                checked.insert(check::<_, 4, 4>(place, &weights, 1, |pass| {
                    pass.signal("0", inputs.scores(0))
                }));
            }
        }
        let [cos, sin] = [(); 2].map(|()| place.draw([BATCH, 1, tokens, FEATURES / 2], 15));
        for pairs in [Pairs::Halves, Pairs::Neighbours] {
            let [cos, sin] = [&cos, &sin].map(Clone::clone);
            let rotary = Rotary { cos, sin, pairs };
            checked.insert(check::<_, 4, 4>(place, &rotary, 1, |pass| {
                pass.signal("0", inputs.head_state(0))
            }));
        }
        let places = (0..tokens * tokens).map(|pair| (pair % 3) as i64).collect();
        let places = TensorData::new(places, [1, 1, tokens, tokens]);
        let scores = PositionScores {
            positions: place.draw([1, HEADS, 3, FEATURES], 16),
            buckets: Tensor::<4, Int>::from_data(places, &place.device()),
            scale: 0.5,
        };
        checked.insert(check::<_, 4, 4>(place, &scores, 1, |pass| {
            pass.signal("0", inputs.head_state(0))
        }));
        let bias = AttentionBias {
            bias: inputs.scores(3),
        };
        checked.insert(check::<_, 4, 4>(place, &bias, 1, |pass| {
            pass.signal("0", inputs.scores(0))
        }));
        // Weights and values have different shapes, but one rank.
        checked.insert(check::<_, 4, 4>(place, &AttentionMix, 2, |pass| {
            (
                pass.signal("0", inputs.scores(0)),
                pass.signal("1", inputs.head_state(1)),
            )
        }));

        // An operation that is added to the crate must be added here.
        assert_eq!(checked, Registry::default().operations().collect());
    }
}

/// A pass that explains has the very weights of one that only predicts. So it is with our own kernel; Burn's
/// softmax rounds the last bits otherwise where autodiff follows it.
#[cfg(feature = "flex")]
#[test]
fn tracking_does_not_change_attention_weights() {
    let inputs = Inputs {
        place: Place::F32,
        fill: Fill::Random,
        tokens: 512,
    };
    for hidden in [None, Some(inputs.hidden())] {
        let operation = AttentionWeights {
            hidden,
            sinks: None,
        };
        let plain = operation.forward(inputs.scores(0));
        let tracked = operation.forward(inputs.scores(0).autodiff().require_grad());
        assert!(tracked.is_tracked());
        assert_eq!(bits(tracked), bits(plain));
    }
}

/// The derivative is the limit of difference quotients, taken in f64.
#[test]
fn the_gradient_of_an_activation_is_its_derivative() {
    const STEP: f64 = 1e-5;
    let points: Vec<f64> = (-60..=60).map(|k| f64::from(k) / 10.0 + 0.0625).collect();
    let shape = [1, points.len(), 1];
    for activation in Activation::ALL {
        let value = |by: f64| {
            let moved: Vec<f64> = points.iter().map(|z| z + by).collect();
            numbers(activation.forward(Place::F64.tensor(&moved, shape)))
        };
        let (after, before) = (value(STEP), value(-STEP));
        let slopes = after
            .iter()
            .zip(&before)
            .map(|(a, b)| (a - b) / (2.0 * STEP));
        let slopes: Vec<f64> = slopes.collect();
        for place in PLACES {
            let z = place.tensor(&points, shape).autodiff().require_grad();
            let gradients = activation.forward(z.clone()).sum().backward();
            let error = difference(&numbers(z.grad(&gradients).unwrap()), &slopes);
            let limit = place.tolerance().max(1e-8);
            assert!(error < limit, "{activation:?} on {place:?}: {error:.1e}");
        }
    }
}
