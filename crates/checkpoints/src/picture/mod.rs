//! From pictures to the patches that a model reads.

mod error;
mod preprocessor;

pub use error::PictureError;
pub use preprocessor::{Filter, Preprocessor};
