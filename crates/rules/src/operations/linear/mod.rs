//! The linear map.

#[cfg(feature = "flex")]
mod cpu;
pub mod law;
pub mod rules;
mod signed_sums;

use burn::tensor::{Tensor, module::linear};

use crate::Operation;
use crate::precision::widen;

/// z_j = sum_i x_i W_ij + b_j, on `[batch, position, feature]`.
#[derive(Clone, Debug)]
pub struct Linear {
    /// `[input, output]`; see [`precision`](crate::precision) for its type of float.
    pub weight: Tensor<2>,
    /// `[output]`.
    pub bias: Option<Tensor<1>>,
}

impl Linear {
    /// The same map with its weights in f32 at least, for rules whose slopes are too large for f16.
    pub(crate) fn widened(&self) -> Self {
        Self {
            weight: widen(self.weight.clone()),
            bias: self.bias.clone().map(widen),
        }
    }
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
    const ABSORBS: &'static str = "stabilizer";
    type Input = Tensor<3>;
    type Output = Tensor<3>;

    fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let [batch, position, input] = x.dims();
        let (weight, bias) = (self.weight.clone(), self.bias.clone());
        let (dtype, output) = (weight.dtype(), weight.dims()[1]);
        // All texts become one matrix. Otherwise Burn would multiply text by text, and copy
        // transposed weights, such as those of a head that is tied to the embeddings.
        let rows = x.reshape([batch * position, input]);
        #[cfg(feature = "flex")]
        if let Some(z) = self.fused(&rows) {
            return z.reshape([batch, position, output]);
        }
        let z = if rows.dtype() == dtype {
            linear(rows, weight, bias)
        } else {
            // The weights are f16 or bf16: only the product is computed in their type.
            let z = widen(linear(rows.cast(dtype), weight, None));
            match bias {
                Some(bias) => z + widen(bias).unsqueeze(),
                None => z,
            }
        };
        z.reshape([batch, position, output])
    }

    fn added(&mut self) -> Option<(&'static str, &mut Tensor<1>)> {
        Some(("bias", self.bias.as_mut()?))
    }
}
