//! A bias of attention scores that depends on positions alone.

pub mod law;

use burn::tensor::Tensor;

use crate::Operation;

/// Scores plus a constant for each pair of positions: how much further away a key stands (ALiBi, Press et
/// al. 2022), or a learned number for each distance (Raffel et al. 2020; MPNet, Song et al. 2020).
///
/// ```text
/// y_ij = q_ij + b_ij
/// ```
///
/// No token made the bias, so that what it has of a score's relevance is absorbed. Softmax takes no notice
/// of a constant that all keys of a query share: where a query's scores have their gradient from there,
/// the share is the same for distances as for positions.
#[derive(Clone, Debug)]
pub struct AttentionBias {
    /// b, `[batch or 1, head, query, key]`.
    pub bias: Tensor<4>,
}

impl Operation for AttentionBias {
    const NAME: &'static str = "attention-bias";
    const ABSORBS: &'static str = "position bias";
    /// Scores `[batch, head, query, key]`.
    type Input = Tensor<4>;
    /// `[batch, head, query, key]`.
    type Output = Tensor<4>;

    fn forward(&self, scores: Self::Input) -> Self::Output {
        scores + self.bias.clone()
    }
}
