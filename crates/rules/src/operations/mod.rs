//! The operations that a Transformer is written in.
//!
//! Each has a folder: what it computes (`mod.rs`), how a CPU computes it in one pass (`cpu.rs`),
//! its laws of propagation as plain functions (`law.rs`), and its rules (`rules/`, one in each
//! file). An operation has only those of these files that it needs.

pub(crate) mod activation;
pub(crate) mod attention;
mod embedding_sum;
pub(crate) mod experts;
pub(crate) mod gate;
pub(crate) mod linear;
pub(crate) mod norm;
pub(crate) mod pooling;
pub(crate) mod residual;
mod rotary;

pub use activation::Activation;
pub use attention::{
    AttentionBias, AttentionMix, AttentionScores, AttentionWeights, PositionScores,
};
pub use embedding_sum::EmbeddingSum;
pub use experts::{ExpertProduct, RouterWeights};
pub use gate::Gate;
pub use linear::Linear;
pub use norm::{Held, Norm, NormScale};
pub use pooling::Pooling;
pub use residual::Residual;
pub use rotary::{Pairs, Rotary};
