//! The rules for residual sums, one in each file.

mod ratio;
mod symmetric;

pub use ratio::Ratio;
pub use symmetric::Symmetric;
