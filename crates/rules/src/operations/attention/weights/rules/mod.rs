//! The rules for attention weights, one a file.

mod detach_weights;

pub use detach_weights::DetachWeights;
