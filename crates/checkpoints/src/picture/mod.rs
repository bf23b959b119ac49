//! From pictures to the patches that a model reads.

mod error;
mod file;
mod preprocessor;
mod resize;

pub use error::PictureError;
pub use preprocessor::Preprocessor;
pub use resize::{Filter, Resize};
