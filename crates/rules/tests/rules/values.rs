//! A rule changes only what flows back: values are those of the operation, to the last bit.

use std::collections::BTreeSet;

use burn::tensor::{Bool, DType, Device, Tensor, TensorData};
use relprop_rules::operations::{
    Activation, AttentionMix, AttentionScores, AttentionWeights, EmbeddingSum, Gate, Linear, Norm,
    NormScale, Pooling, Residual,
};
use relprop_rules::{Assignment, Operation, Pass, Registry, RuleSet};
use rstest::rstest;

use super::support::{Draw, difference, numbers, tensor};

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
        tensor(&values, shape, DType::F32)
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
        let data = TensorData::new(keys, [BATCH, 1, 1, self.tokens]);
        Tensor::from_data(data, &Device::flex())
    }
}

/// Parameters are drawn at random whatever the input is.
fn parameter<const D: usize>(shape: [usize; D], seed: u64) -> Tensor<D> {
    tensor(
        &Draw::new(seed).numbers(shape.iter().product()),
        shape,
        DType::F32,
    )
}

/// The bits of every number. A rule may turn -0.0 into 0.0 by adding a zero; the two are equal and
/// no operation tells them apart. So zeros lose their sign here.
fn bits<const D: usize>(tensor: Tensor<D>) -> Vec<u32> {
    let values: Vec<f32> = tensor.into_data_as::<f32>().try_into_vec().unwrap();
    values.into_iter().map(|x| (x + 0.0).to_bits()).collect()
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
    (0..arity).fold(pass, |pass, place| pass.with_probe(place.to_string()))
}

/// Checks every rule that the operation has: the value to the last bit, and finite gradients at
/// every input. `input` names its tensors `0`, `1`, ... with `Pass::signal`. Gives the operation's
/// name.
fn check<O, const IN: usize, const OUT: usize>(
    operation: &O,
    arity: usize,
    input: impl Fn(&mut Pass) -> O::Input,
) -> &'static str
where
    O: Operation<Output = Tensor<OUT>>,
{
    // Burn runs another softmax on tracked tensors than on others, whose last bits differ. The
    // claim is about the same input, so it is tracked here too.
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
        let same = bits(y.clone()) == bits(expected.clone());
        assert!(same, "{} under {rule}: another value", O::NAME);

        let upstream = parameter(y.dims(), 99);
        let mut relevance = pass.backward((y * upstream).sum());
        for place in 0..arity {
            // All inputs are finite, and zero times infinity is not a number: if the product is
            // finite, so is the gradient.
            let relevance = numbers::<IN>(relevance.take(&place.to_string()).unwrap());
            let finite = relevance.iter().all(|r| r.is_finite());
            assert!(
                finite,
                "{} under {rule}: the gradient at input {place}",
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
    let inputs = &Inputs { fill, tokens };
    let mut checked = BTreeSet::new();

    let one = |pass: &mut Pass| pass.signal("0", inputs.hidden_state(0));
    let two = |pass: &mut Pass| (one(pass), pass.signal("1", inputs.hidden_state(1)));
    for activation in Activation::ALL {
        checked.insert(check::<_, 3, 3>(&activation, 1, one));
    }
    for bias in [None, Some(parameter([5], 11))] {
        let linear = Linear {
            weight: parameter([FEATURES, 5], 10),
            bias,
        };
        checked.insert(check::<_, 3, 3>(&linear, 1, one));
    }
    for scale in [
        NormScale::InsideRoot(1e-12),
        NormScale::OutsideRoot(1e-12),
        NormScale::RootMeanSquare(1e-12),
    ] {
        for affine in [false, true] {
            let parameter = |seed| affine.then(|| parameter([FEATURES], seed));
            let norm = Norm {
                scale,
                gamma: parameter(12),
                beta: parameter(13),
            };
            checked.insert(check::<_, 3, 3>(&norm, 1, one));
        }
    }
    checked.insert(check::<_, 3, 3>(&Residual, 2, two));
    checked.insert(check::<_, 3, 3>(&Gate, 2, two));
    checked.insert(check::<_, 3, 3>(&EmbeddingSum, 2, |pass| {
        let (first, second) = two(pass);
        (first, vec![second])
    }));
    let weights = parameter([BATCH, 1, tokens], 14);
    checked.insert(check::<_, 3, 3>(&Pooling { weights }, 1, one));

    checked.insert(check::<_, 4, 4>(
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
        checked.insert(check::<_, 4, 4>(&AttentionWeights { hidden }, 1, |pass| {
            pass.signal("0", inputs.scores(0))
        }));
    }
    // Weights and values have different shapes, but one rank.
    checked.insert(check::<_, 4, 4>(&AttentionMix, 2, |pass| {
        (
            pass.signal("0", inputs.scores(0)),
            pass.signal("1", inputs.head_state(1)),
        )
    }));

    // An operation that is added to the crate must be added here.
    assert_eq!(checked, Registry::default().operations().collect());
}

/// Burn's softmax of a tracked tensor is not that of an untracked one, to the last bit. So a pass
/// that explains gives logits that may differ in the last bits from one that only predicts.
#[test]
fn tracking_changes_attention_weights_by_no_more_than_rounding() {
    let inputs = Inputs {
        fill: Fill::Random,
        tokens: 512,
    };
    let operation = AttentionWeights { hidden: None };
    let plain = numbers(operation.forward(inputs.scores(0)));
    let tracked = numbers(operation.forward(inputs.scores(0).autodiff().require_grad()));
    let error = difference(&tracked, &plain);
    println!("{error:.1e}");
    assert!(error < 2e-6, "{error:.1e}");
}
