//! Which law each preset follows at each kind of layer, written down a second time: nothing here
//! reads the preset's file.

use burn::tensor::Tensor;
use relprop_rules::{explicit, operations::Linear};

#[derive(Clone, Copy)]
pub enum Heads {
    /// Both products and the softmax under their plain gradient.
    PlainGradient,
    /// The AH-rule.
    ConstantWeights,
    /// Half to each factor of both products, the softmax under its plain gradient.
    Uniform,
}

#[derive(Clone, Copy)]
pub enum Norms {
    PlainGradient,
    /// The LN-rule.
    ConstantScale,
}

#[derive(Clone, Copy)]
pub enum Activations {
    PlainGradient,
    Identity,
}

#[derive(Clone, Copy)]
pub enum Gates {
    PlainGradient,
    /// Half to each factor.
    Uniform,
}

#[derive(Clone, Copy)]
pub enum Maps {
    Lrp0,
    Epsilon(f64),
    Gamma(f64),
    AlphaBeta(f64, f64),
    ZPlus,
}

impl Maps {
    pub fn propagate(self, map: &Linear, x: Tensor<3>, relevance: Tensor<3>) -> Tensor<3> {
        use explicit::linear;
        match self {
            Self::Lrp0 => linear::lrp_0(map, x, relevance),
            Self::Epsilon(epsilon) => linear::epsilon(map, x, epsilon, relevance),
            Self::Gamma(gamma) => linear::gamma(map, x, gamma, relevance),
            Self::AlphaBeta(alpha, beta) => linear::alpha_beta(map, x, alpha, beta, relevance),
            Self::ZPlus => linear::z_plus(map, x, relevance),
        }
    }
}

#[derive(Clone, Copy)]
pub struct Laws {
    pub heads: Heads,
    pub norms: Norms,
    pub activations: Activations,
    pub gates: Gates,
    pub maps: Maps,
    /// The linear maps of attention: queries, keys, values and output.
    pub maps_of_attention: Maps,
    pub maps_of_feed_forward: Maps,
}

pub const PRESETS: [&str; 12] = [
    "gradient-x-input",
    "ah",
    "ln",
    "ah-ln",
    "ah-ln-gamma",
    "attn-lrp",
    "libra",
    "libra-gamma",
    "epsilon",
    "gamma",
    "alpha-beta",
    "z-plus",
];

impl Laws {
    pub fn of(preset: &str) -> Self {
        let gradient = Self {
            heads: Heads::PlainGradient,
            norms: Norms::PlainGradient,
            activations: Activations::PlainGradient,
            gates: Gates::PlainGradient,
            maps: Maps::Lrp0,
            maps_of_attention: Maps::Lrp0,
            maps_of_feed_forward: Maps::Lrp0,
        };
        let paper = Self {
            heads: Heads::ConstantWeights,
            norms: Norms::ConstantScale,
            ..gradient
        };
        let libra = Self {
            activations: Activations::Identity,
            gates: Gates::Uniform,
            ..paper
        };
        let on_all_maps = |maps| Self {
            maps,
            maps_of_attention: maps,
            maps_of_feed_forward: maps,
            ..libra
        };
        match preset {
            "gradient-x-input" => gradient,
            "ah" => Self {
                heads: Heads::ConstantWeights,
                ..gradient
            },
            "ln" => Self {
                norms: Norms::ConstantScale,
                ..gradient
            },
            "ah-ln" => paper,
            "ah-ln-gamma" => Self {
                maps_of_attention: Maps::Gamma(0.01),
                ..paper
            },
            "attn-lrp" => Self {
                heads: Heads::Uniform,
                ..libra
            },
            "libra" => libra,
            "libra-gamma" => Self {
                maps_of_feed_forward: Maps::Gamma(0.1),
                ..libra
            },
            "epsilon" => on_all_maps(Maps::Epsilon(1e-6)),
            "gamma" => on_all_maps(Maps::Gamma(0.25)),
            "alpha-beta" => on_all_maps(Maps::AlphaBeta(2.0, 1.0)),
            "z-plus" => on_all_maps(Maps::ZPlus),
            other => panic!("`{other}` is not written down here"),
        }
    }
}
