//! From the pixels of a picture to the input of the first block.

use burn::module::{Module, Param};
use burn::nn::{Dropout, DropoutConfig, Initializer};
use burn::tensor::module::embedding;
use burn::tensor::{Device, Int, Tensor};
use relprop_rules::{
    Pass,
    operations::{EmbeddingSum, Linear},
    precision::widen,
};

use super::{dropout::dropout, linear::normal};
use crate::{Distillation, PatchConfig, TransformerConfig};

/// One linear map over all patches, the tokens before them, and the sum with positions.
#[derive(Module, Debug)]
pub(super) struct PatchEmbeddings {
    class_token: Param<Tensor<3>>,
    distillation_token: Option<Param<Tensor<3>>>,
    position: Param<Tensor<3>>,
    patch: Projection,
    dropout: Dropout,
}

/// The linear map, in the shape of the convolution that it is: its stride is its size, so that no two
/// patches overlap.
#[derive(Module, Debug)]
pub(super) struct Projection {
    /// `[output, channel, y, x]`.
    weight: Param<Tensor<4>>,
    /// `[output]`.
    bias: Param<Tensor<1>>,
}

impl Projection {
    fn operation(&self) -> Linear {
        let weight = self.weight.val();
        let [width, channels, height, across] = weight.dims();
        Linear {
            weight: weight
                .reshape([width, channels * height * across])
                .transpose(),
            bias: Some(self.bias.val()),
        }
    }
}

impl PatchEmbeddings {
    pub(super) fn new(patches: &PatchConfig, config: &TransformerConfig, device: &Device) -> Self {
        let width = config.width;
        let normal = normal(config.initializer_range);
        let token = || normal.init([1, 1, width], device);
        let [height, across] = patches.patch;
        Self {
            class_token: token(),
            distillation_token: (patches.distillation != Distillation::Absent).then(token),
            position: normal.init([1, config.positions, width], device),
            patch: Projection {
                weight: normal.init([width, patches.channels, height, across], device),
                bias: Initializer::Zeros.init([width], device),
            },
            dropout: DropoutConfig::new(config.dropout).init(),
        }
    }

    /// `[1, position, feature]`.
    pub(super) fn positions(&self) -> Tensor<3> {
        self.position.val()
    }

    /// From the numbers of the patches, `[batch, patch, number]`, and the positions of their tokens,
    /// `[batch, position]`, to `[batch, position, feature]`.
    pub(super) fn forward(
        &self,
        pixels: &Tensor<3>,
        positions: &Tensor<2, Int>,
        pass: &mut Pass,
    ) -> Tensor<3> {
        let projection = self.patch.operation();
        let dtype = widen(self.positions()).dtype();
        let pixels = pass.signal("pixel", pixels.clone().cast(dtype));
        let patches = pass.apply("patch", &projection, pixels);

        let [count, _, width] = patches.dims();
        let special = [
            ("class-token", Some(&self.class_token)),
            ("distillation-token", self.distillation_token.as_ref()),
        ];
        let mut tokens = Vec::new();
        for (site, token) in special {
            if let Some(token) = token {
                let token = widen(token.val()).expand([count, 1, width]);
                tokens.push(pass.signal(site, token));
            }
        }
        tokens.push(patches);
        let tokens = pass.signal("token", Tensor::cat(tokens, 1));

        let table = self.positions().squeeze_dim(0);
        let position = widen(embedding(table, positions.clone()));
        let position = pass.signal("position", position);
        let x = pass.apply("sum", &EmbeddingSum, (tokens, vec![position]));
        dropout(&self.dropout, x, pass)
    }
}
