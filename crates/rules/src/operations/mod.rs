//! The operations that a Transformer is written in.

mod activation;
mod attention;
mod embedding;
mod gate;
mod linear;
mod norm;
mod pooling;
mod residual;
mod rotary;

pub use activation::Activation;
pub use attention::{AttentionMix, AttentionScores, AttentionWeights};
pub use embedding::EmbeddingSum;
pub use gate::Gate;
pub use linear::Linear;
pub(crate) use norm::Constant;
pub use norm::{Norm, NormScale};
pub use pooling::Pooling;
pub use residual::Residual;
pub use rotary::Rotary;
