//! Operations made of Burn's own modules give what the modules give.

use burn::nn::{LayerNormConfig, LinearConfig, RmsNormConfig};
use burn::tensor::Tensor;
use relprop_rules::Operation;
use relprop_rules::operations::{Linear, Norm, NormScale};

use super::support::{Place, difference, numbers};

const SHAPE: [usize; 3] = [2, 3, 8];

fn assert_same(found: Tensor<3>, expected: Tensor<3>) {
    assert!(difference(&numbers(found), &numbers(expected)) < Place::F32.tolerance());
}

#[test]
fn a_linear_map() {
    let module = LinearConfig::new(SHAPE[2], 5).init(&Place::F32.device());
    let x: Tensor<3> = Place::F32.draw(SHAPE, 1);
    assert_same(Linear::from(&module).forward(x.clone()), module.forward(x));
}

#[test]
fn an_rms_norm() {
    let config = RmsNormConfig::new(SHAPE[2]).with_epsilon(0.1);
    let mut module = config.init(&Place::F32.device());
    module.gamma = module.gamma.map(|gamma| gamma * 3.0);
    let x: Tensor<3> = Place::F32.draw(SHAPE, 1);
    assert_same(Norm::from(&module).forward(x.clone()), module.forward(x));
}

/// As the crate's page says it.
#[test]
fn a_layer_norm_with_its_epsilon() {
    let config = LayerNormConfig::new(SHAPE[2]).with_epsilon(0.1);
    let mut module = config.init(&Place::F32.device());
    module.gamma = module.gamma.map(|gamma| gamma * 3.0);
    module.beta = module.beta.map(|beta| beta.map(|beta| beta + 0.5));
    let norm = Norm {
        scale: NormScale::InsideRoot(0.1),
        gamma: Some(module.gamma.val()),
        beta: module.beta.as_ref().map(|beta| beta.val()),
    };
    let x: Tensor<3> = Place::F32.draw(SHAPE, 1);
    assert_same(norm.forward(x.clone()), module.forward(x));
}
