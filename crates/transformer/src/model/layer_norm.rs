//! The parameters of a norm.

use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::tensor::{Device, Tensor};
use relprop_rules::operations::{Norm, NormScale};
use relprop_rules::precision::widen;

use crate::NormConfig;

/// A LayerNorm, with or without factor and shift, or an RMSNorm, with or without factor.
///
/// Checkpoints are converted by the names of types: this one must be called `LayerNorm` and its
/// fields `gamma` and `beta`.
#[derive(Module, Debug)]
pub struct LayerNorm {
    gamma: Option<Param<Tensor<1>>>,
    beta: Option<Param<Tensor<1>>>,
    #[module(skip)]
    scale: NormScale,
    #[module(skip)]
    plus_one: bool,
}

impl LayerNorm {
    pub(super) fn new(config: &NormConfig, width: usize, device: &Device) -> Self {
        let centers = !matches!(config.scale, NormScale::RootMeanSquare(_));
        let ones = match config.plus_one {
            true => Initializer::Zeros,
            false => Initializer::Ones,
        };
        let parameter = |has: bool, values: Initializer| has.then(|| values.init([width], device));
        Self {
            gamma: parameter(config.affine, ones),
            beta: parameter(
                config.affine && centers && !config.unshifted,
                Initializer::Zeros,
            ),
            scale: config.scale,
            plus_one: config.plus_one,
        }
    }

    pub(super) fn operation(&self) -> Norm {
        let value = |parameter: &Option<Param<Tensor<1>>>| parameter.as_ref().map(|p| p.val());
        let gamma = value(&self.gamma);
        Norm {
            scale: self.scale,
            gamma: match self.plus_one {
                true => gamma.map(|gamma| widen(gamma) + 1.0),
                false => gamma,
            },
            beta: value(&self.beta),
        }
    }
}
