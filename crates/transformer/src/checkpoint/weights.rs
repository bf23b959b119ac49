//! `model.safetensors`: the tensors, under the family's names, in PyTorch's layout.

use std::fs::OpenOptions;
use std::path::Path;

use burn::module::Module;
use burn::store::{
    ApplyError, BurnToPyTorchAdapter, FloatCastAdapter, KeyRemapper, ModuleAdapter, ModuleSnapshot,
    PyTorchToBurnAdapter, SafetensorsStore,
};
use burn::tensor::{DType, Shape};

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

    // Our names mean nothing to someone who looks into the file: give those that stand there.
    let theirs = remapper(family.tensor_names().iter().copied());
    let in_file = |name: &str| name_in_file(name, &theirs);
    let missing = report
        .missing
        .iter()
        .map(|(name, _)| format!("{} is missing", in_file(name)));
    let wrong = report.errors.iter().map(|error| match error {
        ApplyError::ShapeMismatch {
            path,
            expected,
            found,
        } => {
            let [expected, found] = [expected, found].map(|shape| shape_in_file(path, shape));
            let name = in_file(path);
            format!("{name} has the shape {found:?} instead of {expected:?}")
        }
        other => other.to_string(),
    });
    let extra = report
        .unused
        .iter()
        .map(|name| in_file(name))
        .filter(|name| !family.ignored_tensors().contains(&name.as_str()))
        .map(|name| format!("{name} belongs to no part of the model"));
    let problems: Vec<String> = wrong.chain(missing).chain(extra).collect();
    if problems.is_empty() {
        return Ok(());
    }
    Err(CheckpointError::Tensors {
        path: file.to_owned(),
        problems,
    })
}

/// The name under which the file has the tensor that is called `ours` here.
fn name_in_file(ours: &str, theirs: &KeyRemapper) -> String {
    // A norm's factor and shift have other names in PyTorch.
    let start = match ours.rsplit_once('.') {
        Some((module, "gamma")) => format!("{module}.weight"),
        Some((module, "beta")) => format!("{module}.bias"),
        _ => ours.to_owned(),
    };
    let pairs = theirs.to_regex_pairs().into_iter();
    pairs.fold(start, |name, (pattern, to)| {
        pattern.replace(&name, to.as_str()).into_owned()
    })
}

/// The shape that the file has: linear maps stand there the other way round, embeddings do not.
fn shape_in_file(ours: &str, shape: &Shape) -> Vec<usize> {
    let sizes = shape.iter().copied();
    if ours.starts_with("embeddings.") {
        sizes.collect()
    } else {
        sizes.rev().collect()
    }
}

/// Writes every tensor of the model to `file`, replacing it only once all are written.
///
/// A new file gets the permissions that files here get by default.
pub(super) fn write(
    model: &Transformer,
    family: Family,
    file: &Path,
) -> Result<(), CheckpointError> {
    let failed = |source| CheckpointError::Io {
        path: file.to_owned(),
        source,
    };
    // The store makes new files readable by their owner only, but keeps what is there.
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(file)
        .map_err(failed)?;
    let mut store = SafetensorsStore::from_file(file)
        .with_to_adapter(BurnToPyTorchAdapter)
        .remap(remapper(family.tensor_names().iter().copied()))
        .overwrite(true)
        .clear_metadata()
        .metadata("format", "pt"); // without it, Python's transformers refuses the file
    let weights = model.clone().valid();
    weights
        .save_into(&mut store)
        .map_err(|error| failed(std::io::Error::other(error.to_string())))
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
