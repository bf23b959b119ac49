//! `model.safetensors`: the tensors, under the family's names, in PyTorch's layout.

use std::path::Path;

use burn::module::Module;
use burn::store::{
    ApplyError, BurnToPyTorchAdapter, FloatCastAdapter, KeyRemapper, ModuleAdapter, ModuleSnapshot,
    PyTorchToBurnAdapter, SafetensorsStore,
};
use burn::tensor::DType;

use super::{CheckpointError, Family};
use crate::Transformer;

/// Reads every tensor of the model from `file`.
pub(super) fn read(
    model: &mut Transformer,
    family: Family,
    file: &Path,
) -> Result<(), CheckpointError> {
    let names = |(ours, theirs)| (theirs, ours);
    let mut store = SafetensorsStore::from_file(file)
        .with_from_adapter(PyTorchToBurnAdapter.chain(FloatCastAdapter::to(DType::F32)))
        .remap(remapper(family.tensor_names().iter().copied().map(names)))
        // What is missing or wrong is reported below, tensor by tensor.
        .validate(false)
        .allow_partial(true);
    let report = model
        .load_from(&mut store)
        .map_err(|error| CheckpointError::Damaged {
            path: file.to_owned(),
            message: error.to_string(),
        })?;

    let missing = report
        .missing
        .iter()
        .map(|(name, _)| format!("{name} is missing"));
    let wrong = report.errors.iter().map(|error| match error {
        ApplyError::ShapeMismatch {
            path,
            expected,
            found,
        } => {
            let [expected, found] = [expected, found].map(|shape| shape.as_slice());
            format!("{path} has the shape {found:?} instead of {expected:?}")
        }
        other => other.to_string(),
    });
    let extra = report
        .unused
        .iter()
        .filter(|name| !family.ignored_tensors().contains(&name.as_str()))
        .map(|name| format!("{name} belongs to no part of the model"));
    let mut problems: Vec<String> = wrong.chain(missing).chain(extra).collect();
    if problems.is_empty() {
        return Ok(());
    }
    // Our names mean nothing to someone who looks into the file: give theirs.
    let theirs = remapper(family.tensor_names().iter().copied());
    for problem in &mut problems {
        // Burn's names for the factor and the shift of a norm.
        *problem = problem
            .replacen(".gamma ", ".weight ", 1)
            .replacen(".beta ", ".bias ", 1);
        for (pattern, name) in theirs.to_regex_pairs() {
            *problem = pattern.replace(problem, name.as_str()).into_owned();
        }
    }
    Err(CheckpointError::Tensors {
        path: file.to_owned(),
        problems,
    })
}

/// Writes every tensor of the model to `file`, replacing it only once all are written.
pub(super) fn write(
    model: &Transformer,
    family: Family,
    file: &Path,
) -> Result<(), CheckpointError> {
    let mut store = SafetensorsStore::from_file(file)
        .with_to_adapter(BurnToPyTorchAdapter)
        .remap(remapper(family.tensor_names().iter().copied()))
        .overwrite(true)
        .clear_metadata()
        .metadata("format", "pt"); // without it, Python's transformers refuses the file
    model
        .clone()
        .valid()
        .save_into(&mut store)
        .map_err(|error| CheckpointError::Io {
            path: file.to_owned(),
            source: std::io::Error::other(error.to_string()),
        })
}

/// Renames modules as the pairs of (old, new) names say; `{}` is a block's number.
fn remapper<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> KeyRemapper {
    pairs.fold(KeyRemapper::new(), |remapper, (old, new)| {
        let old = old.replace('.', r"\.").replace("{}", r"(\d+)");
        remapper
            .add_pattern(
                format!(r"^{old}\."),
                format!("{}.", new.replace("{}", "${1}")),
            )
            .expect("the names of a family's table make valid patterns")
    })
}
