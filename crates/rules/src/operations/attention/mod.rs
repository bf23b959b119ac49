//! The operations of an attention head: scores of contents and of positions, their bias, weights, mixing of values.

pub mod bias;
#[cfg(feature = "flex")]
mod heads;
pub mod mix;
pub mod positions;
pub mod scores;
pub mod weights;

pub use bias::AttentionBias;
pub use mix::AttentionMix;
pub use positions::PositionScores;
pub use scores::AttentionScores;
pub use weights::AttentionWeights;
