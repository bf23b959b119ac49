//! Models as folders in the Hugging Face layout.

mod bert;
mod error;
mod family;
mod folder;
mod weights;

pub use error::CheckpointError;
pub use family::Family;
pub use folder::Model;
