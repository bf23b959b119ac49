//! The files of a model folder, and which of them hold the weights.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::CheckpointError;

/// How weights are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
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

/// Where a folder's weights are, in order of preference.
pub(super) const WEIGHTS: [(&str, Format); 2] = [
    ("model.safetensors", Format::Safetensors),
    ("pytorch_model.bin", Format::PyTorch),
];

/// The file that says where the weights are which have no room in the one file `name`.
pub(super) fn index_of(name: &str) -> String {
    format!("{name}.index.json")
}

/// The files that hold a model's weights: one, or several that an index names.
pub(super) struct WeightFiles {
    pub(super) format: Format,
    /// The one file, or the index.
    pub(super) main: PathBuf,
    /// The files with tensors in them.
    pub(super) parts: Vec<PathBuf>,
}

/// `model.safetensors.index.json`: which file holds which tensor.
#[derive(Deserialize)]
struct Index {
    weight_map: BTreeMap<String, String>,
}

impl WeightFiles {
    /// Finds the weights of a folder.
    pub(super) fn find(folder: &Path) -> Result<Self, CheckpointError> {
        for (name, format) in WEIGHTS {
            let file = folder.join(name);
            if file.is_file() {
                let parts = vec![file.clone()];
                let main = file;
                return Ok(Self {
                    format,
                    main,
                    parts,
                });
            }
            let index = folder.join(index_of(name));
            if index.is_file() {
                let present =
                    |name: String| existing(folder, &name, "the index says that it holds tensors");
                let parts = read_index(&index)?.into_iter().map(present);
                let parts = parts.collect::<Result<_, _>>()?;
                let main = index;
                return Ok(Self {
                    format,
                    main,
                    parts,
                });
            }
        }
        Err(CheckpointError::NoFile {
            file: WEIGHTS[0].0.to_owned(),
            path: folder.join(WEIGHTS[0].0),
            purpose: "it holds the weights",
        })
    }

    /// The SHA-256 of the files with tensors, one after another, in hexadecimal.
    pub(super) fn sha256(&self) -> Result<String, CheckpointError> {
        sha256(&self.parts)
    }
}

/// The SHA-256 of files, one after another, in hexadecimal.
///
/// # Errors
///
/// [`CheckpointError::Io`] if one of them cannot be read.
pub fn sha256(files: &[impl AsRef<Path>]) -> Result<String, CheckpointError> {
    let mut hash = Sha256::new();
    for file in files {
        let file = file.as_ref();
        add(&mut hash, file).map_err(io_error(file))?;
    }
    let digest = hash.finalize();
    Ok(digest.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The names of the files that an index says hold the tensors.
pub(super) fn read_index(file: &Path) -> Result<BTreeSet<String>, CheckpointError> {
    let wrong = |message: String| CheckpointError::Index {
        path: file.to_owned(),
        message,
    };
    let text = fs::read_to_string(file).map_err(io_error(file))?;
    let index: Index = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
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

/// The path of a file that must be there.
pub(super) fn existing(
    folder: &Path,
    file: &str,
    purpose: &'static str,
) -> Result<PathBuf, CheckpointError> {
    let path = folder.join(file);
    if path.is_file() {
        return Ok(path);
    }
    Err(CheckpointError::NoFile {
        file: file.to_owned(),
        path,
        purpose,
    })
}

pub(super) fn io_error(path: &Path) -> impl Fn(io::Error) -> CheckpointError {
    move |source| CheckpointError::Io {
        path: path.to_owned(),
        source,
    }
}

fn add(hash: &mut Sha256, file: &Path) -> io::Result<()> {
    let mut file = fs::File::open(file)?;
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(()),
            read => hash.update(&buffer[..read]),
        }
    }
}
