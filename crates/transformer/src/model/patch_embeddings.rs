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

use super::layer_norm::LayerNorm;
use super::{dropout::dropout, linear::normal};
use crate::{Distillation, PatchConfig, Placed, TransformerConfig};

/// One linear map over all patches, the tokens before them, the sum with positions, and a norm in some.
#[derive(Module, Debug)]
pub(super) struct PatchEmbeddings {
    class_token: Option<Param<Tensor<3>>>,
    distillation_token: Option<Param<Tensor<3>>>,
    /// `[1, register, feature]`.
    registers: Option<Param<Tensor<3>>>,
    /// A row for each token that has one, `[1, token, feature]`.
    position: Option<Param<Tensor<3>>>,
    patch: Projection,
    norm: Option<LayerNorm>,
    dropout: Dropout,
    #[module(skip)]
    placed: Placed,
}

/// The linear map, in the shape of the convolution that it is: its stride is its size, so that no two
/// patches overlap.
#[derive(Module, Debug)]
pub(super) struct Projection {
    /// `[output, channel, y, x]`.
    weight: Param<Tensor<4>>,
    /// `[output]`.
    bias: Option<Param<Tensor<1>>>,
}

impl Projection {
    fn operation(&self) -> Linear {
        let weight = self.weight.val();
        let [width, channels, height, across] = weight.dims();
        Linear {
            weight: weight
                .reshape([width, channels * height * across])
                .transpose(),
            bias: self.bias.as_ref().map(|bias| bias.val()),
        }
    }
}

impl PatchEmbeddings {
    pub(super) fn new(patches: &PatchConfig, config: &TransformerConfig, device: &Device) -> Self {
        let width = config.width;
        let normal = normal(config.initializer_range);
        let tokens = |count: usize| (count > 0).then(|| normal.init([1, count, width], device));
        let [height, across] = patches.patch;
        Self {
            class_token: tokens(usize::from(!patches.unclassed)),
            distillation_token: tokens(usize::from(patches.distillation != Distillation::Absent)),
            registers: tokens(patches.registers),
            position: tokens(patches.places()),
            patch: Projection {
                weight: normal.init([width, patches.channels, height, across], device),
                bias: (!patches.unbiased).then(|| Initializer::Zeros.init([width], device)),
            },
            norm: config
                .embedding_norm
                .map(|norm| LayerNorm::new(&norm, width, device)),
            dropout: DropoutConfig::new(config.dropout).init(),
            placed: patches.placed,
        }
    }

    /// The linear map, `[output, channel, y, x]`.
    pub(super) fn projection(&self) -> Tensor<4> {
        self.patch.weight.val()
    }

    /// What is added to each token of a picture, `[token, feature]`: nothing where it has no position.
    fn table(&self) -> Option<Tensor<2>> {
        let table = widen(self.position.as_ref()?.val()).squeeze_dim::<2>(0);
        let [places, width] = table.dims();
        let count = |tokens: &Option<Param<Tensor<3>>>| {
            tokens.as_ref().map_or(0, |tokens| tokens.lazy_shape()[1])
        };
        let nothing =
            |count: usize| Tensor::zeros([count, width], (&table.device(), table.dtype()));
        let registers = count(&self.registers);
        let first = count(&self.class_token) + count(&self.distillation_token);
        Some(match (self.placed, registers) {
            (Placed::Patches, _) => Tensor::cat(vec![nothing(first + registers), table], 0),
            (_, 0) => table,
            _ => {
                let patches = table.clone().narrow(0, first, places - first);
                let first = table.clone().narrow(0, 0, first);
                Tensor::cat(vec![first, nothing(registers), patches], 0)
            }
        })
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
        let dtype = widen(self.projection()).dtype();
        let pixels = pass.signal("pixel", pixels.clone().cast(dtype));
        let patches = pass.apply("patch", &projection, pixels);

        let [count, _, width] = patches.dims();
        let special = [
            ("class-token", &self.class_token),
            ("distillation-token", &self.distillation_token),
            ("registers", &self.registers),
        ];
        let mut tokens = Vec::new();
        for (site, token) in special {
            if let Some(token) = token {
                let token = widen(token.val());
                let [_, each, _] = token.dims();
                tokens.push(pass.signal(site, token.expand([count, each, width])));
            }
        }
        tokens.push(patches);
        let tokens = pass.signal("token", Tensor::cat(tokens, 1));

        let mut x = tokens;
        if let Some(table) = self.table() {
            let position = embedding(table, positions.clone());
            let position = pass.signal("position", position);
            x = pass.apply("sum", &EmbeddingSum, (x, vec![position]));
        }
        if let Some(norm) = &self.norm {
            x = pass.apply("norm", &norm.operation(), x);
        }
        dropout(&self.dropout, x, pass)
    }
}
