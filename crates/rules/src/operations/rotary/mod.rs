//! Rotary positions.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::Operation;

/// Turns each pair of features (a, b) of a query or a key by an angle that grows with its position (Su et
/// al. 2021, RoPE):
///
/// ```text
/// y_a = x_a cos - x_b sin,    y_b = x_b cos + x_a sin
/// ```
///
/// Features after the last pair are left as they are (GPT-NeoX, Black et al. 2022). It is linear in x without
/// a bias, so its plain gradient conserves.
#[derive(Clone, Debug)]
pub struct Rotary {
    /// The cosine of each angle, `[batch or 1, 1, position, pair]`.
    pub cos: Tensor<4>,
    /// The sine of each angle, `[batch or 1, 1, position, pair]`.
    pub sin: Tensor<4>,
    /// Which features are a pair.
    pub pairs: Pairs,
}

/// Which of the features that are turned are a pair.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pairs {
    /// One of the first half and one of the second, (k, k + pairs): in most models of Hugging Face.
    #[default]
    Halves,
    /// Two neighbours, (2 k, 2 k + 1): as the paper has it, and GPT-J.
    Neighbours,
}

impl Operation for Rotary {
    const NAME: &'static str = "rotary";
    const ABSORBS: &'static str = "rotation";
    /// `[batch, head, position, feature]`.
    type Input = Tensor<4>;
    type Output = Tensor<4>;

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let [batch, heads, positions, features] = x.dims();
        let pairs = self.cos.dims()[3];
        let [cos, sin] = [&self.cos, &self.sin].map(Clone::clone);
        let turned = x.clone().narrow(3, 0, 2 * pairs);
        let turned = match self.pairs {
            Pairs::Halves => {
                let a = turned.clone().narrow(3, 0, pairs);
                let b = turned.narrow(3, pairs, pairs);
                let turned_a = a.clone() * cos.clone() - b.clone() * sin.clone();
                let turned_b = b * cos + a * sin;
                Tensor::cat(vec![turned_a, turned_b], 3)
            }
            Pairs::Neighbours => {
                let by_pair = turned.reshape([batch, heads, positions, pairs, 2]);
                let a = by_pair.clone().narrow(4, 0, 1).squeeze_dim::<4>(4);
                let b = by_pair.narrow(4, 1, 1).squeeze_dim::<4>(4);
                let turned_a = a.clone() * cos.clone() - b.clone() * sin.clone();
                let turned_b = b * cos + a * sin;
                let turned = Tensor::stack::<5>(vec![turned_a, turned_b], 4);
                turned.reshape([batch, heads, positions, 2 * pairs])
            }
        };
        match features - 2 * pairs {
            0 => turned,
            rest => Tensor::cat(vec![turned, x.narrow(3, 2 * pairs, rest)], 3),
        }
    }
}
