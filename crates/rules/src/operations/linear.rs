//! The linear map.

use burn::tensor::Tensor;

use crate::{Operation, Terms};

/// z_j = sum_i x_i W_ij + b_j, on `[batch, position, feature]`.
#[derive(Clone, Debug)]
pub struct Linear {
    /// `[input, output]`.
    pub weight: Tensor<2>,
    /// `[output]`.
    pub bias: Option<Tensor<1>>,
}

impl From<&burn::nn::Linear> for Linear {
    fn from(module: &burn::nn::Linear) -> Self {
        Self {
            weight: module.weight.val(),
            bias: module.bias.as_ref().map(|bias| bias.val()),
        }
    }
}

impl Operation for Linear {
    const NAME: &'static str = "linear";
    const ABSORBS: &'static str = "stabiliser";
    type Input = Tensor<3>;
    type Output = Tensor<3>;

    fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        burn::tensor::module::linear(x, self.weight.clone(), self.bias.clone())
    }

    fn added(&self) -> Option<&Tensor<1>> {
        self.bias.as_ref()
    }

    fn watch_terms(&mut self, terms: &mut Terms) {
        terms.watch("bias", &mut self.bias);
    }
}
