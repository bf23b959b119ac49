//! The rules for activations, one a file.

mod identity;

pub use identity::Identity;
