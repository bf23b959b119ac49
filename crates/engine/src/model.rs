//! The model that a name stands for: a folder, or a name on the Hugging Face Hub.

use std::path::{Path, PathBuf};

use relprop_checkpoints::HubName;

use crate::EngineError;

/// The folder of the model. If there is a folder called `name`, it is that folder; otherwise `name`
/// is a name on the Hub, and the model is fetched. `progress` gets the name of the file, how many
/// of its bytes are fetched, and how many it has.
///
/// # Errors
///
/// If it is a name, and cannot be fetched.
pub fn model_folder(
    model: &Path,
    progress: impl FnMut(&str, u64, u64),
) -> Result<PathBuf, EngineError> {
    let name: Option<HubName> = model.to_str().and_then(|text| text.parse().ok());
    match name {
        Some(name) if !model.exists() => fetched(&name, progress),
        _ => Ok(model.to_owned()),
    }
}

#[cfg(not(feature = "hub"))]
fn fetched(name: &HubName, _: impl FnMut(&str, u64, u64)) -> Result<PathBuf, EngineError> {
    Err(EngineError::NoHub(name.to_string()))
}

#[cfg(feature = "hub")]
fn fetched(name: &HubName, progress: impl FnMut(&str, u64, u64)) -> Result<PathBuf, EngineError> {
    name.fetch(progress).map_err(|source| EngineError::Hub {
        name: name.to_string(),
        source,
    })
}
