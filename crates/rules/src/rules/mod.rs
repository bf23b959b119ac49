//! The propagation rules, one a file.

mod detach_scale;
mod detach_weights;
mod gradient;

pub use detach_scale::DetachScale;
pub use detach_weights::DetachWeights;
pub use gradient::Gradient;
