//! Rotary positions.

use burn::tensor::Tensor;

use crate::Operation;

/// Rotates each pair of features (a, a + feature / 2) of a query or a key by an angle that grows
/// with its position (Su et al. 2021, RoPE; in the layout of Hugging Face):
///
/// ```text
/// y_a = x_a cos - x_b sin,    y_b = x_b cos + x_a sin,    b = a + feature / 2
/// ```
///
/// It is linear in x without a bias, so its plain gradient conserves.
#[derive(Clone, Debug)]
pub struct Rotary {
    /// The cosine of each angle, `[batch or 1, 1, position, feature / 2]`.
    pub cos: Tensor<4>,
    /// The sine of each angle, `[batch or 1, 1, position, feature / 2]`.
    pub sin: Tensor<4>,
}

impl Operation for Rotary {
    const NAME: &'static str = "rotary";
    const ABSORBS: &'static str = "rotation";
    /// `[batch, head, position, feature]`.
    type Input = Tensor<4>;
    type Output = Tensor<4>;

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let half = x.dims()[3] / 2;
        let a = x.clone().narrow(3, 0, half);
        let b = x.narrow(3, half, half);
        let [cos, sin] = [&self.cos, &self.sin].map(Clone::clone);
        let turned_a = a.clone() * cos.clone() - b.clone() * sin.clone();
        let turned_b = b * cos + a * sin;
        Tensor::cat(vec![turned_a, turned_b], 3)
    }
}
