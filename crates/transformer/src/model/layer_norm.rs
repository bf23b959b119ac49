//! The layer norm's parameters.

use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::tensor::{Device, Tensor};
use relprop_rules::operations::{Norm, NormScale};

use crate::NormConfig;

/// A layer norm, with or without factor and shift.
///
/// Checkpoints are converted by the names of types: this one must be called `LayerNorm` and its
/// fields `gamma` and `beta`.
#[derive(Module, Debug)]
pub struct LayerNorm {
    gamma: Option<Param<Tensor<1>>>,
    beta: Option<Param<Tensor<1>>>,
    #[module(skip)]
    scale: NormScale,
}

impl LayerNorm {
    pub(super) fn new(config: &NormConfig, width: usize, device: &Device) -> Self {
        let parameter = |values: Initializer| config.affine.then(|| values.init([width], device));
        Self {
            gamma: parameter(Initializer::Ones),
            beta: parameter(Initializer::Zeros),
            scale: config.scale,
        }
    }

    pub(super) fn operation(&self) -> Norm {
        let value = |parameter: &Option<Param<Tensor<1>>>| parameter.as_ref().map(|p| p.val());
        Norm {
            scale: self.scale,
            gamma: value(&self.gamma),
            beta: value(&self.beta),
        }
    }
}
