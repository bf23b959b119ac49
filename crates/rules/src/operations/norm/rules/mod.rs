//! The rules for norms, one a file.

mod detach_moments;
mod detach_scale;

pub use detach_moments::DetachMoments;
pub use detach_scale::DetachScale;
