//! The operations of an attention head: scores, their bias, weights, mixing of values.

pub mod bias;
#[cfg(feature = "flex")]
mod heads;
pub mod mix;
pub mod scores;
pub mod weights;

pub use bias::AttentionBias;
pub use mix::AttentionMix;
pub use scores::AttentionScores;
pub use weights::AttentionWeights;
