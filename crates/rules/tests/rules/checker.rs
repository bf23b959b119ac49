//! The checker that rule authors run finds what is wrong with a rule.

use burn::tensor::Tensor;
use relprop_rules::operations::{Activation, AttentionMix, Gate, Linear, Norm};
use relprop_rules::rules::{DetachGate, DetachScale, Gradient, Half, Identity};
use relprop_rules::{Operation, Rule, check};

use super::support::Place;

fn state(seed: u64) -> Tensor<3> {
    Place::F64.draw([2, 3, 4], seed)
}

/// A rule that changes the value.
#[derive(Debug)]
struct Doubled;

impl Rule<Activation> for Doubled {
    fn apply(&self, phi: &Activation, z: Tensor<3>) -> Tensor<3> {
        phi.forward(z) * 2.0
    }
}

/// A rule that divides by the value, which may be zero.
#[derive(Debug)]
struct Unstable;

impl Rule<Activation> for Unstable {
    fn apply(&self, phi: &Activation, z: Tensor<3>) -> Tensor<3> {
        let y = phi.forward(z.clone());
        let slope = y.clone().detach() / z.clone().detach();
        y.detach() + (z.clone() - z.detach()) * slope
    }
}

#[test]
fn a_changed_value_is_found() {
    assert!(!check(&Doubled, &Activation::Relu, state(0)).value_unchanged);
    assert!(check(&Gradient {}, &Activation::Relu, state(0)).value_unchanged);
}

#[test]
fn relevance_that_is_not_finite_is_found() {
    let zeros = state(0) * 0.0;
    assert!(!check(&Unstable, &Activation::Gelu, zeros.clone()).relevance_finite);
    assert!(check(&Identity {}, &Activation::Gelu, zeros).relevance_finite);
}

#[test]
fn conservation_is_measured() {
    let conserved = |error: f64| error < 1e-12;
    let gelu = Activation::Gelu;
    assert!(conserved(
        check(&Identity {}, &gelu, state(0)).conservation_error()
    ));
    assert!(!conserved(
        check(&Gradient {}, &gelu, state(0)).conservation_error()
    ));

    let norm = Norm::plain(1e-3);
    assert!(conserved(
        check(&DetachScale {}, &norm, state(0)).conservation_error()
    ));
    assert!(!conserved(
        check(&Gradient {}, &norm, state(0)).conservation_error()
    ));

    let pair = || (state(0), state(1));
    assert!(conserved(
        check(&Half {}, &Gate, pair()).conservation_error()
    ));
    assert!(conserved(
        check(&DetachGate {}, &Gate, pair()).conservation_error()
    ));
    let twice = check(&Gradient {}, &Gate, pair());
    assert!((twice.kept - 2.0 * twice.held).abs() < 1e-12);

    let heads = |seed| Place::F64.draw([1, 1, 4, 4], seed);
    let mix = (heads(2), heads(3));
    assert!(conserved(
        check(&Half {}, &AttentionMix, mix).conservation_error()
    ));
}

#[test]
fn what_a_bias_absorbs_shows() {
    let linear = |bias: Option<Tensor<1>>| Linear {
        weight: Place::F64.draw([4, 2], 5),
        bias,
    };
    let bias = Place::F64.tensor(&[0.5, -0.25], [2]);
    assert!(check(&Gradient {}, &linear(None), state(0)).conservation_error() < 1e-12);
    assert!(check(&Gradient {}, &linear(Some(bias)), state(0)).conservation_error() > 1e-3);
}
