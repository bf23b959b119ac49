//! Models as folders in the Hugging Face layout.

mod error;
mod families;
mod family;
mod files;
mod folder;
mod hub;
mod keys;
mod rope;
mod tensors;
mod weights;

pub use error::CheckpointError;
pub use family::Family;
pub use files::sha256;
pub use folder::Model;
#[cfg(feature = "hub")]
pub use hub::HubError;
pub use hub::{HubName, NoHubName};
