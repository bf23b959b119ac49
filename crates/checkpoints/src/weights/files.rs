//! Which of a model's files hold the weights.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;

use crate::CheckpointError;
use crate::files::{File, Files};
use crate::json::from_json;

/// How weights are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// A header in JSON, then bytes.
    Safetensors,
    /// What `torch.save` writes: a pickle, in a ZIP archive or alone.
    PyTorch,
    /// What llama.cpp reads: a header of its own, then bytes.
    Gguf,
}

impl Format {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Safetensors => "safetensors",
            Self::PyTorch => "what torch.save writes",
            Self::Gguf => "GGUF",
        }
    }
}

/// Where weights are, in order of preference.
pub(crate) const WEIGHTS: [(&str, Format); 2] = [
    ("model.safetensors", Format::Safetensors),
    ("pytorch_model.bin", Format::PyTorch),
];

/// Where the tensors of an adapter are, in order of preference.
const ADAPTERS: [(&str, Format); 2] = [
    ("adapter_model.safetensors", Format::Safetensors),
    ("adapter_model.bin", Format::PyTorch),
];

/// Where OpenCLIP keeps weights, in order of preference.
const OPEN_CLIP: [(&str, Format); 2] = [
    ("open_clip_model.safetensors", Format::Safetensors),
    ("open_clip_pytorch_model.bin", Format::PyTorch),
];

/// The files that weights are read from, the first that is there, with what they are.
pub const WEIGHT_FILES: [(&str, &str); WEIGHTS.len()] = {
    let mut files = [("", ""); WEIGHTS.len()];
    let mut at = 0;
    while at < WEIGHTS.len() {
        files[at] = (WEIGHTS[at].0, WEIGHTS[at].1.name());
        at += 1;
    }
    files
};

/// The file that says where the weights are which have no room in the one file `name`.
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
        Self::find_in(files, "")
    }

    /// The same below a `folder`, whose name ends with a slash.
    pub(crate) fn find_in(files: &Files, folder: &str) -> Result<Self, CheckpointError> {
        for (name, format) in WEIGHTS {
            let name = &format!("{folder}{name}");
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
        Err(files.missing(&format!("{folder}{}", WEIGHTS[0].0), "it holds the weights"))
    }

    /// The weights of this GGUF file.
    pub(crate) fn gguf(main: File) -> Self {
        Self {
            format: Format::Gguf,
            parts: vec![main.clone()],
            main,
        }
    }

    /// Finds the tensors of an adapter.
    pub(crate) fn of_adapter(files: &Files) -> Result<Self, CheckpointError> {
        Self::one_of(files, &ADAPTERS, "it holds what the adapter adds")
    }

    /// Finds the weights of a model of OpenCLIP.
    pub(crate) fn of_open_clip(files: &Files) -> Result<Self, CheckpointError> {
        Self::one_of(files, &OPEN_CLIP, "it holds the weights")
    }

    fn one_of(
        files: &Files,
        names: &[(&str, Format)],
        purpose: &'static str,
    ) -> Result<Self, CheckpointError> {
        let mut found =
            (names.iter()).filter_map(|(name, format)| Some((files.get(name)?, *format)));
        let (main, format) = (found.next()).ok_or_else(|| files.missing(names[0].0, purpose))?;
        Ok(Self {
            format,
            parts: vec![main.clone()],
            main,
        })
    }

    /// The error for what is wrong with their tensors.
    pub(crate) fn wrong(&self, problems: Vec<String>) -> CheckpointError {
        CheckpointError::Tensors {
            path: self.main.path().to_owned(),
            problems,
        }
    }

    /// The files with tensors in them, one after another.
    pub(crate) fn parts(&self) -> &[File] {
        &self.parts
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
