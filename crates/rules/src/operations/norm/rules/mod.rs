//! The rules for norms, one in each file.

mod detach_moments;
mod detach_scale;

pub use detach_moments::DetachMoments;
pub use detach_scale::DetachScale;
