//! Errors of the Hugging Face Hub.

use std::path::PathBuf;

use super::HubName;
use crate::CheckpointError;

/// Why a model cannot be fetched from the Hub.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HubError {
    /// It is not in the cache, and must not be fetched.
    #[error(
        "{name} is not in the cache {}, or not all of it, and HF_HUB_OFFLINE says not to fetch it; \
         fetch it once without HF_HUB_OFFLINE, where there is a network", cache.display()
    )]
    Offline {
        /// The model.
        name: HubName,
        /// Where it was looked for.
        cache: PathBuf,
    },
    /// The Hub does not know it.
    #[error(
        "{endpoint} has no {name} (404); look for a slip in its name, or in the revision after the @"
    )]
    Unknown {
        /// The Hub's address.
        endpoint: String,
        /// The model.
        name: HubName,
    },
    /// The Hub does not give it to this user.
    #[error(
        "{endpoint} does not hand out {name} ({status}): it is private, or its owner wants to be \
         asked first, or there is none of that name; look at {endpoint}/{}, and give a token of \
         somebody who may read it (HF_TOKEN=..., or `hf auth login`)", name.repository
    )]
    Refused {
        /// The Hub's address.
        endpoint: String,
        /// The model.
        name: HubName,
        /// The status of its answer: 401 or 403.
        status: u16,
    },
    /// It is not a whole model, or none that is read here.
    #[error(
        "{name} has no {file} on {endpoint}, and relprop cannot do without; in Python, \
         save_pretrained writes it"
    )]
    NoFile {
        /// The Hub's address.
        endpoint: String,
        /// The model.
        name: HubName,
        /// What is missing.
        file: &'static str,
    },
    /// There is no way to the Hub.
    #[error(
        "{endpoint} cannot be reached: {reason}; look at the network and at HTTPS_PROXY, or fetch \
         the model elsewhere (`hf download {} --local-dir DIR`) and name the folder",
        name.repository
    )]
    Unreachable {
        /// The Hub's address.
        endpoint: String,
        /// The model.
        name: HubName,
        /// What the network said.
        reason: String,
    },
    /// The Hub's answer is not understood.
    #[error("{endpoint} does not answer as the Hub does: {reason}; try again later")]
    Answer {
        /// The Hub's address.
        endpoint: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A file could not be fetched whole.
    #[error(
        "{file} could not be fetched into {}: {reason}; fetching it again goes on where it stopped",
        cache.display()
    )]
    Broken {
        /// The file.
        file: String,
        /// Where it was to go.
        cache: PathBuf,
        /// What happened.
        reason: String,
    },
    /// The part of a file that an earlier run fetched does not belong to the file.
    #[error("the cache holds a part of {file} that does not fit: delete {}/*.part", blobs.display())]
    Part {
        /// The file.
        file: String,
        /// The folder that the part is in.
        blobs: PathBuf,
    },
    /// Which files hold the weights is not understood.
    #[error(transparent)]
    Index(#[from] CheckpointError),
}
