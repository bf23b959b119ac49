//! The rules for activations, one in each file.

mod identity;

pub use identity::Identity;
