//! The laws written out against the rules that state them by a gradient, and what each conserves.
//!
//! In f64 alone: a law divides by outputs that may be near zero, and f32 would measure its rounding.

use burn::tensor::Tensor;
use relprop_rules::operations::{Activation, Gate, Linear, Norm, NormScale, Pooling, Residual};
use relprop_rules::{Operation, Pass, Registry, RuleSet, explicit};
use rstest::rstest;

use super::support::{Place, difference, explain, numbers};

const TOLERANCE: f64 = 1e-10;

pub fn draw<const D: usize>(shape: [usize; D], seed: u64) -> Tensor<D> {
    Place::F64.draw(shape, seed)
}

fn one_rule(rule: &str) -> RuleSet {
    RuleSet::from_toml(&format!("name = \"one\"\n[[rules]]\n{rule}")).unwrap()
}

/// R(x) and R(y) by Gradient x Input under `rule`; what the target takes of y is random.
pub fn by_gradient<const D: usize, O>(operation: &O, rule: &str, x: &Tensor<D>) -> [Tensor<D>; 2]
where
    O: Operation<Input = Tensor<D>, Output = Tensor<D>>,
{
    let model = |pass: &mut Pass| {
        let x = pass.signal("x", x.clone());
        let y = pass.apply("y", operation, x);
        (y.clone() * draw(y.dims(), 77)).sum()
    };
    let mut found = explain(&one_rule(rule), &Registry::default(), &["x", "y"], model);
    ["x", "y"].map(|site| found.take(site).unwrap())
}

/// R(a), R(b) and R(y), for an operation on two signals.
pub fn by_gradient_of_two<const D: usize, O>(
    operation: &O,
    rule: &str,
    [a, b]: &[Tensor<D>; 2],
) -> [Tensor<D>; 3]
where
    O: Operation<Input = (Tensor<D>, Tensor<D>), Output = Tensor<D>>,
{
    let model = |pass: &mut Pass| {
        let a = pass.signal("a", a.clone());
        let b = pass.signal("b", b.clone());
        let y = pass.apply("y", operation, (a, b));
        (y.clone() * draw(y.dims(), 77)).sum()
    };
    let probes = ["a", "b", "y"];
    let mut found = explain(&one_rule(rule), &Registry::default(), &probes, model);
    probes.map(|site| found.take(site).unwrap())
}

pub fn assert_equal<const D: usize>(found: Tensor<D>, expected: Tensor<D>) {
    assert_eq!(found.dims(), expected.dims());
    let found = numbers(found);
    assert!(found.iter().all(|number| number.is_finite()));
    let error = difference(&found, &numbers(expected));
    println!("{error:.1e}");
    assert!(error < TOLERANCE, "{error:.1e}");
}

/// A sum is `kept`, up to rounding in units of the largest of its terms.
pub fn assert_sum<const D: usize>(relevance: &Tensor<D>, kept: f64) {
    let numbers = numbers(relevance.clone());
    let size = numbers.iter().fold(0.0_f64, |size, r| size.max(r.abs()));
    let sum: f64 = numbers.iter().sum();
    assert!((sum - kept).abs() < TOLERANCE * size, "{sum} is not {kept}");
}

pub fn sum<const D: usize>(relevance: &Tensor<D>) -> f64 {
    numbers(relevance.clone()).iter().sum()
}

type MapLaw = fn(&Linear, Tensor<3>, Tensor<3>) -> Tensor<3>;

const MAP_LAWS: [(&str, MapLaw); 6] = {
    use explicit::linear::{alpha_beta, epsilon, gamma, gamma_positive, lrp_0, z_plus};
    [
        ("rule = \"gradient\"", lrp_0),
        ("rule = \"epsilon\"\nepsilon = 0.1", |map, x, r| {
            epsilon(map, x, 0.1, r)
        }),
        ("rule = \"gamma\"\ngamma = 0.25", |map, x, r| {
            gamma(map, x, 0.25, r)
        }),
        ("rule = \"gamma-positive\"\ngamma = 0.25", |map, x, r| {
            gamma_positive(map, x, 0.25, r)
        }),
        (
            "rule = \"alpha-beta\"\nalpha = 1.5\nbeta = 0.5",
            |map, x, r| alpha_beta(map, x, 1.5, 0.5, r),
        ),
        ("rule = \"z-plus\"", z_plus),
    ]
};

#[rstest]
fn linear_maps(
    #[values((2, 1), (7, 4), (16, 16))] (inputs, outputs): (usize, usize),
    #[values(false, true)] bias: bool,
    #[values(0, 1, 2)] seed: u64,
) {
    let map = Linear {
        weight: draw([inputs, outputs], seed),
        bias: bias.then(|| draw([outputs], seed + 10)),
    };
    let x = draw([2, 3, inputs], seed + 20);
    for (rule, law) in MAP_LAWS {
        println!("{rule}");
        let [of_x, of_z] = by_gradient(&map, rule, &x);
        let found = law(&map, x.clone(), of_z.clone());
        // An output of few contributions may have none of a sign, whose share is then lost.
        let by_sign = rule.contains("alpha-beta") || rule.contains("z-plus");
        let conserves = !rule.contains("epsilon") && (inputs == 16 || !by_sign);
        if conserves && !bias {
            assert_sum(&found, sum(&of_z));
        }
        assert_equal(found, of_x);
    }
}

/// What is lost of R(z) at a bias and at epsilon is their share of the denominator.
#[test]
fn bias_and_epsilon_absorb_their_share() {
    let (weight, bias) = (draw([5, 4], 0), draw::<1>([4], 1));
    let x: Tensor<3> = draw([1, 3, 5], 2);
    let of_z: Tensor<3> = draw([1, 3, 4], 3);
    let map = Linear {
        weight,
        bias: Some(bias.clone()),
    };
    let z = map.forward(x.clone());
    let with_epsilon = z.clone() + z.clone().sign() * 0.1;
    let lost = (bias.unsqueeze::<3>() + with_epsilon.clone() - z) / with_epsilon;
    let kept = sum(&of_z) - sum(&(lost * of_z.clone()));
    assert_sum(&explicit::linear::epsilon(&map, x, 0.1, of_z), kept);
}

#[test]
fn the_general_rule_gives_the_others_from_their_jacobians() {
    let x: Tensor<2> = draw([3, 5], 0);
    // A linear map: its Jacobian is W.
    let map = Linear {
        weight: draw([5, 4], 1),
        bias: Some(draw([4], 2)),
    };
    let y = map.forward(x.clone().unsqueeze()).squeeze_dim::<2>(0);
    let jacobian = map.weight.clone().unsqueeze::<3>().expand([3, 5, 4]);
    let relevance: Tensor<2> = draw([3, 4], 3);
    assert_equal(
        explicit::general::general(x.clone(), y, jacobian, relevance.clone()),
        explicit::linear::lrp_0(&map, x.clone(), relevance),
    );
    // A softmax: dp_j/dq_i = p_j (delta_ij - p_i).
    let p = burn::tensor::activation::softmax(x.clone(), 1);
    let identity = Tensor::<2>::eye(5, &x.device()).cast(Place::F64.dtype());
    let jacobian = identity.unsqueeze::<3>() - p.clone().unsqueeze_dim::<3>(2);
    let jacobian = jacobian * p.clone().unsqueeze_dim::<3>(1);
    let relevance: Tensor<2> = draw([3, 5], 4);
    assert_equal(
        explicit::general::general(x.clone(), p.clone(), jacobian, relevance.clone()),
        explicit::attention::softmax_plain_gradient(
            x.unsqueeze(),
            p.unsqueeze(),
            relevance.unsqueeze(),
        )
        .reshape([3, 5]),
    );
}

#[rstest]
fn norms(
    #[values(
        NormScale::InsideRoot,
        NormScale::OutsideRoot,
        NormScale::RootMeanSquare
    )]
    place: fn(f64) -> NormScale,
    #[values(1e-12, 1e-5, 0.1)] epsilon: f64,
    #[values(5, 16)] features: usize,
    #[values(false, true)] gamma: bool,
    #[values(false, true)] beta: bool,
    #[values(0, 1)] seed: u64,
) {
    let norm = Norm {
        scale: place(epsilon),
        gamma: gamma.then(|| draw([features], seed)),
        beta: beta.then(|| draw([features], seed + 10)),
    };
    let x: Tensor<3> = draw([2, 3, features], seed + 20);

    let [of_x, of_y] = by_gradient(&norm, "rule = \"detach-scale\"", &x);
    let law = explicit::norm::ln_rule(&norm, x.clone(), of_y.clone());
    let absorbed = match &norm.beta {
        None => 0.0,
        Some(beta) => sum(&(of_y.clone() / norm.forward(x.clone()) * beta.clone().unsqueeze())),
    };
    assert_sum(&law, sum(&of_y) - absorbed);
    assert_equal(law, of_x);

    let [of_x, of_y] = by_gradient(&norm, "rule = \"gradient\"", &x);
    let law = explicit::norm::plain_gradient(&norm, x.clone(), of_y.clone());
    if !beta {
        let centered = norm.center(x);
        let squares = centered.square().sum_dim(2);
        // What is left of each row: epsilon of epsilon and its variance, or its deviation.
        let spread = match norm.scale {
            NormScale::InsideRoot(_) | NormScale::RootMeanSquare(_) => squares / features as f64,
            NormScale::OutsideRoot(_) => (squares / (features - 1) as f64).sqrt(),
        };
        let left = (spread + epsilon).recip() * epsilon;
        assert_sum(&law, sum(&(of_y.sum_dim(2) * left)));
    }
    assert_equal(law, of_x);
}

#[rstest]
#[case(Activation::Gelu, explicit::activation::gelu_slope)]
#[case(Activation::GeluTanh, explicit::activation::gelu_tanh_slope)]
#[case(Activation::Relu, explicit::activation::relu_slope)]
#[case(Activation::Silu, explicit::activation::silu_slope)]
#[case(Activation::QuickGelu, explicit::activation::quick_gelu_slope)]
#[case(Activation::Tanh, explicit::activation::tanh_slope)]
#[case(Activation::Clip, explicit::activation::clip_slope)]
#[case(Activation::ClipAbove, explicit::activation::clip_above_slope)]
fn activations(
    #[case] phi: Activation,
    #[case] slope: fn(Tensor<3>) -> Tensor<3>,
    #[values(0.01, 1.0, 4.0)] size: f64,
) {
    let z: Tensor<3> = draw([2, 3, 8], 0) * size;
    let [of_z, of_y] = by_gradient(&phi, "rule = \"identity\"", &z);
    assert_equal(explicit::activation::identity(of_y), of_z);

    let [of_z, of_y] = by_gradient(&phi, "rule = \"gradient\"", &z);
    let (y, slope) = (phi.forward(z.clone()), slope(z.clone()));
    // What is lost is phi(z) - z phi'(z) times the gradient at y.
    let loss = y.clone() - z.clone() * slope.clone();
    let lost = sum(&(loss * draw([2, 3, 8], 77)));
    let law = explicit::activation::plain_gradient(z, y, slope, of_y.clone());
    assert_sum(&law, sum(&of_y) - lost);
    assert_equal(law, of_z);
}

#[test]
fn gates() {
    let factors: [Tensor<3>; 2] = [draw([2, 3, 4], 0), draw([2, 3, 4], 1)];
    let [of_gate, of_signal, of_y] = by_gradient_of_two(&Gate, "rule = \"half\"", &factors);
    let (gate, signal) = explicit::product::gate_uniform(of_y);
    assert_equal(gate, of_gate);
    assert_equal(signal, of_signal);

    let [of_gate, of_signal, of_y] = by_gradient_of_two(&Gate, "rule = \"detach\"", &factors);
    let (gate, signal) = explicit::product::gate_signal_takes_all(of_y);
    assert_eq!(numbers(gate), numbers(of_gate));
    assert_equal(signal, of_signal);
}

#[test]
fn sums() {
    use explicit::residual::{by_size, evenly, proportional};
    type Law = fn(Tensor<3>, Tensor<3>, Tensor<3>) -> (Tensor<3>, Tensor<3>);
    let terms: [Tensor<3>; 2] = [draw([2, 3, 4], 0), draw([2, 3, 4], 1)];
    let laws: [(&str, Law); 3] = [
        ("gradient", proportional),
        ("ratio", by_size),
        ("symmetric", |_, _, of_y| evenly(of_y)),
    ];
    for (rule, law) in laws {
        let rule = format!("rule = \"{rule}\"");
        let [of_skip, of_branch, of_y] = by_gradient_of_two(&Residual, &rule, &terms);
        let [skip, branch] = terms.clone();
        let (skip, branch) = law(skip, branch, of_y.clone());
        assert_sum(&(skip.clone() + branch.clone()), sum(&of_y));
        assert_equal(skip, of_skip);
        assert_equal(branch, of_branch);
    }
}

#[test]
fn pooling() {
    let weights: Tensor<3> = draw([2, 1, 5], 0);
    let x: Tensor<3> = draw([2, 5, 4], 1);
    let operation = Pooling {
        weights: weights.clone(),
    };
    let [of_x, of_y] = by_gradient(&operation, "rule = \"gradient\"", &x);
    let law = explicit::residual::pooling(weights, x, of_y.clone());
    assert_sum(&law, sum(&of_y));
    assert_equal(law, of_x);
}

#[test]
fn relevance_on_an_output_of_zero_is_dropped() {
    let row = |values: [f64; 2]| Place::F64.tensor::<2>(&values, [1, 2]);
    let one = |value: f64| Place::F64.tensor::<2>(&[value], [1, 1]);
    // z = 1 - 1, and its parts of either sign are not zero.
    let map = Linear {
        weight: Place::F64.tensor(&[1.0, -1.0], [2, 1]),
        bias: None,
    };
    let x = row([1.0, 1.0]);
    let of_x = explicit::linear::lrp_0(&map, x.clone(), one(5.0));
    assert_eq!(numbers(of_x), [0.0, 0.0]);
    let of_x = explicit::linear::z_plus(&map, x.clone(), one(5.0));
    assert_eq!(numbers(of_x), [5.0, 0.0]);
    let of_x = explicit::linear::epsilon(&map, x, 0.5, one(5.0));
    assert_eq!(numbers(of_x), [10.0, -10.0]);

    // Equal features have no deviation.
    for scale in [NormScale::InsideRoot(1e-5), NormScale::OutsideRoot(1e-5)] {
        let norm = Norm {
            scale,
            ..Norm::plain(1e-5)
        };
        let x = row([3.0, 3.0]);
        let laws = [explicit::norm::ln_rule, explicit::norm::plain_gradient];
        for law in laws {
            assert_eq!(numbers(law(&norm, x.clone(), row([1.0, 1.0]))), [0.0, 0.0]);
        }
    }
    let zero = row([0.0, 0.0]);
    let slope = explicit::activation::tanh_slope(zero.clone());
    let of_z = explicit::activation::plain_gradient(zero.clone(), zero, slope, row([1.0, 1.0]));
    assert_eq!(numbers(of_z), [0.0, 0.0]);
}
