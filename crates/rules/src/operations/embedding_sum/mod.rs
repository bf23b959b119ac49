//! The sum of the embeddings of a token: of the word, the position and the segment.

use burn::tensor::Tensor;

use crate::Operation;

/// The sum of several embeddings, each `[batch, position, feature]`.
#[derive(Clone, Copy, Debug)]
pub struct EmbeddingSum;

impl Operation for EmbeddingSum {
    const NAME: &'static str = "embedding-sum";
    const ABSORBS: &'static str = "input";
    /// The first embedding, and those added to it.
    type Input = (Tensor<3>, Vec<Tensor<3>>);
    type Output = Tensor<3>;

    fn forward(&self, (first, others): Self::Input) -> Self::Output {
        others.into_iter().fold(first, |sum, next| sum + next)
    }
}
