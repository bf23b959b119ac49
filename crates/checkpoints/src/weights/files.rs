//! Which of a model's files hold the weights.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;

use crate::CheckpointError;
use crate::files::{File, Files, sha256_of};
use crate::json::from_json;

/// How weights are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// A header in JSON, then bytes.
    Safetensors,
    /// What `torch.save` writes: a pickle, in a ZIP archive or alone.
    PyTorch,
}

impl Format {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Safetensors => "safetensors",
            Self::PyTorch => "what torch.save writes",
        }
    }
}

/// Where weights are, in order of preference.
pub(crate) const WEIGHTS: [(&str, Format); 2] = [
    ("model.safetensors", Format::Safetensors),
    ("pytorch_model.bin", Format::PyTorch),
];

/// The name of the index for weights that are in several files instead of the one file `name`.
pub(crate) fn index_of(name: &str) -> String {
    format!("{name}.index.json")
}

/// The files that hold a model's weights: one, or several that an index names.
pub(crate) struct WeightFiles {
    pub(super) format: Format,
    /// The one file, or the index.
    pub(super) main: File,
    /// The files with tensors in them.
    pub(super) parts: Vec<File>,
}

/// `model.safetensors.index.json`: which file holds which tensor.
#[derive(Deserialize)]
struct Index {
    weight_map: BTreeMap<String, String>,
}

impl WeightFiles {
    /// Finds the weights among a model's files.
    pub(crate) fn find(files: &Files) -> Result<Self, CheckpointError> {
        for (name, format) in WEIGHTS {
            if let Some(main) = files.get(name) {
                return Ok(Self {
                    format,
                    parts: vec![main.clone()],
                    main,
                });
            }
            if let Some(main) = files.get(&index_of(name)) {
                let purpose = "the index says that it holds tensors";
                let parts = read_index(&main)?.into_iter();
                let parts = parts.map(|name| files.required(&name, purpose));
                return Ok(Self {
                    format,
                    parts: parts.collect::<Result<_, _>>()?,
                    main,
                });
            }
        }
        Err(files.missing(WEIGHTS[0].0, "it holds the weights"))
    }

    /// The SHA-256 of the files with tensors, one after another, in hexadecimal.
    pub(crate) fn sha256(&self) -> Result<String, CheckpointError> {
        sha256_of(&self.parts)
    }
}

/// The names of the files that an index says hold the tensors.
pub(crate) fn read_index(file: &File) -> Result<BTreeSet<String>, CheckpointError> {
    let wrong = |message: String| CheckpointError::Index {
        path: file.path().to_owned(),
        message,
    };
    let index: Index = from_json(&file.text()?).map_err(wrong)?;
    let names: BTreeSet<_> = index.weight_map.into_values().collect();
    if names.is_empty() {
        return Err(wrong("its `weight_map` is empty".to_owned()));
    }
    // A name, not a path: an index must not lead out of its folder.
    let is_name = |name: &String| Path::new(name).file_name() == Some(name.as_ref());
    match names.iter().find(|name| !is_name(name)) {
        Some(name) => Err(wrong(format!("`{name}` is not the name of a file"))),
        None => Ok(names),
    }
}
