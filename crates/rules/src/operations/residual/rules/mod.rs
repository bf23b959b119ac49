//! The rules for residual sums, one a file.

mod ratio;
mod symmetric;

pub use ratio::Ratio;
pub use symmetric::Symmetric;
