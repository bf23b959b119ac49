//! A model's weights: the tensors under the family's names, in PyTorch's layout.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::path::Path;

use burn::module::{Module, ModuleVisitor, Param};
use burn::store::{
    BurnToPyTorchAdapter, FloatCastAdapter, KeyRemapper, ModuleAdapter, ModuleSnapshot,
    PyTorchToBurnAdapter, SafetensorsStore,
};
use burn::tensor::{DType, Tensor};

use super::files::{WeightFiles, io_error};
use super::tensors::{self, Stored};
use super::{CheckpointError, Family};
use crate::Transformer;

/// Reads every tensor of the model, into the floats that the device computes in.
///
/// Whatever is wrong with a name, a type or a shape is found before the first number is read.
pub(super) fn read(
    model: &mut Transformer,
    family: &Family,
    files: &WeightFiles,
) -> Result<(), CheckpointError> {
    let mut stored = tensors::open(files)?;
    let mut problems = Vec::new();
    let mut found = Vec::new();
    for parameter in parameters(model) {
        let name = family.tensor_name(&in_pytorch(&parameter.name));
        let Some(tensor) = take(&mut stored, &name) else {
            problems.push(format!("{name} is missing"));
            continue;
        };
        match (&tensor.dtype, &tensor.shape) {
            (Err(dtype), _) => problems.push(format!("{name} holds {dtype}, which is no float")),
            (_, shape) if *shape != parameter.shape => problems.push(format!(
                "{name} has the shape {shape:?} instead of {:?}",
                parameter.shape
            )),
            (Ok(dtype), _) => {
                let dtype = *dtype;
                found.push(tensor.into_burn(parameter.name, dtype));
            }
        }
    }
    let extra = stored.into_keys().filter(|name| !family.ignores(name));
    problems.extend(extra.map(|name| format!("{name} belongs to no part of the model")));
    if !problems.is_empty() {
        return Err(CheckpointError::Tensors {
            path: files.main.clone(),
            problems,
        });
    }

    let dtype: DType = model.device().settings().float_dtype.into();
    let adapter = PyTorchToBurnAdapter.chain(FloatCastAdapter::to(dtype));
    let report = model.apply(found, None, Some(Box::new(adapter)), false);
    match report.errors.first() {
        None => Ok(()),
        Some(error) => Err(CheckpointError::Damaged {
            path: files.main.clone(),
            format: files.format.name(),
            message: error.to_string(),
        }),
    }
}

/// Takes out the tensor of that name. Checkpoints of 2018 call a norm's factor and shift otherwise.
fn take(stored: &mut BTreeMap<String, Stored>, name: &str) -> Option<Stored> {
    let old = match name.rsplit_once("LayerNorm.") {
        Some((module, "weight")) => format!("{module}LayerNorm.gamma"),
        Some((module, "bias")) => format!("{module}LayerNorm.beta"),
        _ => return stored.remove(name),
    };
    stored.remove(name).or_else(|| stored.remove(&old))
}

/// A parameter of the model: its name here, and its shape in a file.
struct Parameter {
    name: String,
    shape: Vec<usize>,
}

fn parameters(model: &Transformer) -> Vec<Parameter> {
    let mut visitor = Parameters::default();
    model.visit(&mut visitor);
    visitor.found
}

#[derive(Default)]
struct Parameters {
    /// The names and the types of the modules around.
    around: Vec<(String, String)>,
    found: Vec<Parameter>,
}

impl ModuleVisitor for Parameters {
    fn enter_module(&mut self, name: &str, container_type: &str) {
        let module = (name.to_owned(), container_type.to_owned());
        self.around.push(module);
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.around.pop();
    }

    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        let names: Vec<_> = self.around.iter().map(|(name, _)| name.as_str()).collect();
        // Asking for the tensor itself would draw it at random.
        let mut shape = parameter.lazy_shape().to_vec();
        // Linear maps stand in a file the other way round.
        let owner = self.around.last().map(|(_, kind)| kind.as_str());
        if owner == Some("Struct:Linear") {
            shape.reverse();
        }
        self.found.push(Parameter {
            name: names.join("."),
            shape,
        });
    }
}

/// A parameter's name in PyTorch, where a norm's factor and shift are called otherwise.
fn in_pytorch(ours: &str) -> String {
    match ours.rsplit_once('.') {
        Some((module, "gamma")) => format!("{module}.weight"),
        Some((module, "beta")) => format!("{module}.bias"),
        _ => ours.to_owned(),
    }
}

/// Writes every tensor of the model to `file`, replacing it only once all are written.
///
/// A new file gets the permissions that files here get by default.
pub(super) fn write(
    model: &Transformer,
    family: &Family,
    file: &Path,
) -> Result<(), CheckpointError> {
    let failed = io_error(file);
    // The store makes new files readable by their owner only, but keeps what is there.
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(file)
        .map_err(&failed)?;
    let names = parameters(model)
        .into_iter()
        .fold(KeyRemapper::new(), |names, parameter| {
            let ours = in_pytorch(&parameter.name);
            names
                .add_pattern(
                    format!("^{}$", ours.replace('.', r"\.")),
                    family.tensor_name(&ours),
                )
                .expect("names of fields and numbers make valid patterns")
        });
    let mut store = SafetensorsStore::from_file(file)
        .with_to_adapter(BurnToPyTorchAdapter)
        .remap(names)
        .overwrite(true)
        .clear_metadata()
        .metadata("format", "pt"); // without it, Python's transformers refuses the file
    let weights = model.clone().valid();
    weights
        .save_into(&mut store)
        .map_err(|error| failed(std::io::Error::other(error.to_string())))
}
