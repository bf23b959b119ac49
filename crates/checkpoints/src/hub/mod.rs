//! Models by their names on the Hugging Face Hub.

#[cfg(feature = "hub")]
mod error;
#[cfg(feature = "hub")]
mod fetch;
mod name;
#[cfg(feature = "hub")]
mod needed;

#[cfg(feature = "hub")]
pub use error::HubError;
pub use name::{HubName, NoHubName};
