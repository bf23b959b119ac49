//! The three operations of an attention head: scores, weights, mixing of values.

#[cfg(feature = "flex")]
mod heads;
pub mod mix;
pub mod scores;
pub mod weights;

pub use mix::AttentionMix;
pub use scores::AttentionScores;
pub use weights::AttentionWeights;
