//! The tensors of all files of a checkpoint.

use std::collections::BTreeMap;

use super::files::{Format, WeightFiles};
use super::stored::Stored;
use super::{pytorch, safetensors};
use crate::CheckpointError;

/// The tensors of all files together, by their names, without the parts that PyTorch adds to names
/// in training.
pub(crate) fn open(files: &WeightFiles) -> Result<BTreeMap<String, Stored>, CheckpointError> {
    let mut found = Vec::new();
    for file in &files.parts {
        found.extend(match files.format {
            Format::Safetensors => safetensors::open(file)?,
            Format::PyTorch => pytorch::open(file)?,
            // Its header says more than what is in it, and was read before.
            Format::Gguf => Vec::new(),
        });
    }
    for (name, _) in &mut found {
        *name = name
            .split('.')
            .filter(|part| !WRAPPERS.contains(part))
            .collect::<Vec<_>>()
            .join(".");
        let moved = MOVED.iter().find_map(|(from, to)| {
            let rest = name.strip_prefix(from)?;
            Some(format!("{to}{rest}"))
        });
        if let Some(moved) = moved {
            *name = moved;
        }
    }
    if found.iter().all(|(name, _)| name.starts_with(PARALLEL)) {
        for (name, _) in &mut found {
            name.drain(..PARALLEL.len());
        }
    }
    let mut all = BTreeMap::new();
    for (name, tensor) in found {
        if all.insert(name.clone(), tensor).is_some() {
            return Err(CheckpointError::Index {
                path: files.main.path().to_owned(),
                message: format!("{name} is in more than one of its files"),
            });
        }
    }
    Ok(all)
}

/// Parts that PyTorch puts between the names of modules when it compiles a model, spreads it over
/// devices, or recomputes a part of it to save memory.
const WRAPPERS: [&str; 3] = [
    "_orig_mod",
    "_fsdp_wrapped_module",
    "_checkpoint_wrapped_module",
];

/// How the names of a model of texts began beside a tower for pictures, before transformers 4.52, and how they begin since.
const MOVED: [(&str, &str); 4] = [
    ("language_model.model.", "model.language_model."),
    ("language_model.lm_head.", "lm_head."),
    ("vision_tower.", "model.vision_tower."),
    ("multi_modal_projector.", "model.multi_modal_projector."),
];

/// The part that PyTorch puts before all names when a model is trained in parallel.
const PARALLEL: &str = "module.";
