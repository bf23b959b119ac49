//! The rules for attention weights, one in each file.

mod detach_weights;

pub use detach_weights::DetachWeights;
