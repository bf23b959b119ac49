//! A model's weights: tensors under the family's names, in the family's layout.

mod change;
mod files;
mod pytorch;
mod tensors;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use burn::module::{Module, ModuleVisitor, Param};
use burn::store::{FloatCastAdapter, ModuleAdapter, ModuleSnapshot, PyTorchToBurnAdapter};
use burn::tensor::{DType, Tensor, TensorData};
use safetensors::tensor::{Dtype, View};

use self::tensors::NotFinite;
use crate::files::io_error;
use crate::{CheckpointError, Family};
use relprop_transformer::{ParameterPath, Transformer, TransformerConfig};

pub(crate) use change::numbers as floats_of;
pub(crate) use change::{Changes, Product};
pub use files::WEIGHT_FILES;
pub(crate) use files::{WEIGHTS, WeightFiles};
#[cfg(feature = "hub")]
pub(crate) use files::{index_of, read_index};
pub(crate) use tensors::{Stored, numbers, open};

/// Reads every tensor of the model, into the floats that the device computes in.
///
/// All faults of names, types and shapes are found before the first number is read.
pub(crate) fn read(
    model: &mut Transformer,
    family: &Family,
    files: &WeightFiles,
    mut stored: BTreeMap<String, Stored>,
    mut changes: Changes,
) -> Result<(), CheckpointError> {
    let base = family.base_in(stored.keys().map(String::as_str));
    let mut problems = Vec::new();
    // Linear maps that the file stores transposed, and everything else.
    let [mut turned, mut straight] = [Vec::new(), Vec::new()];
    let mut modules = BTreeSet::new();
    let not_finite = NotFinite::default();
    let tensors = layout(model, family, base);
    let names = tensors.iter().map(|tensor| tensor.name.as_str()).collect();
    problems.extend(changes.left_over(&names));
    for tensor in tensors {
        let name = &tensor.name;
        modules.insert(first_module(name).to_owned());
        let Some(found) = take(&mut stored, name) else {
            problems.push(format!("{name} is missing"));
            continue;
        };
        let expected = tensor.shape();
        match (&found.dtype, &found.shape) {
            (Err(dtype), _) => problems.push(format!("{name} holds {dtype}, which is no float")),
            (_, shape) if *shape != expected => problems.push(format!(
                "{name} has the shape {shape:?} instead of {expected:?}"
            )),
            (Ok(_), _) => {
                let found = match changes.added.remove(name) {
                    None => Ok(found),
                    Some(change) => change.on(found, tensor.turned),
                };
                let found = match found {
                    Ok(found) => found,
                    Err(problem) => {
                        problems.push(format!("{name}: {problem}"));
                        continue;
                    }
                };
                let Ok(dtype) = found.dtype else {
                    continue;
                };
                let into = match tensor.turned {
                    true => &mut turned,
                    false => &mut straight,
                };
                let parts = tensor.split(found).into_iter();
                let tensor = name.clone();
                into.extend(parts.map(|(name, part)| {
                    part.into_burn(name, dtype, tensor.clone(), not_finite.clone())
                }));
            }
        }
    }
    let mut extra = stored.into_keys();
    // Tensors of other heads are left over, and transformers ignores them.
    let other_head =
        |name: &str| family.architecture.is_some() && !modules.contains(first_module(name));
    let extra = extra
        .by_ref()
        .filter(|name| !family.ignores(name, base) && !other_head(name));
    problems.extend(extra.map(|name| format!("{name} belongs to no part of the model")));
    if !problems.is_empty() {
        return Err(CheckpointError::Tensors {
            path: files.main.path().to_owned(),
            problems,
        });
    }

    let dtype: DType = model.device().settings().float_dtype.into();
    let cast = || FloatCastAdapter::to(dtype);
    let turn: Box<dyn ModuleAdapter> = Box::new(PyTorchToBurnAdapter.chain(cast()));
    // Embeddings come first: they are the largest, and a tensor takes its memory twice while it is
    // read.
    for (found, adapter) in [(straight, Box::new(cast()) as _), (turned, turn)] {
        // As in `ParameterPath`, variants of enums have no part in names.
        let skip_enum_variants = true;
        let report = model.apply(found, None, Some(adapter), skip_enum_variants);
        if let Some((tensor, number)) = not_finite.found() {
            return Err(CheckpointError::NotFinite {
                path: files.main.path().to_owned(),
                tensor,
                number,
            });
        }
        if let Some(error) = report.errors.first() {
            return Err(CheckpointError::Damaged {
                path: files.main.path().to_owned(),
                format: files.format.name(),
                message: error.to_string(),
            });
        }
    }
    Ok(())
}

/// Gives a language model a head of its own, if its configuration says that the head is the table of word
/// embeddings, but the file has another table for it. That one is used, as transformers does.
pub(crate) fn untie(
    config: &mut TransformerConfig,
    family: &Family,
    stored: &BTreeMap<String, Stored>,
    files: &WeightFiles,
) -> Result<(), CheckpointError> {
    if !config.head.is_tied() {
        return Ok(());
    }
    let base = family.base_in(stored.keys().map(String::as_str));
    let table = |ours| stored.get(&family.tensor_name(ours, base));
    let tables = (table("embeddings.word.weight"), table("classifier.weight"));
    if let (Some(words), Some(head)) = tables {
        let differs = words.differs(head).map_err(io_error(files.main.path()))?;
        config.head = config.head.with_tied(!differs);
    }
    Ok(())
}

fn first_module(name: &str) -> &str {
    name.split('.').next().unwrap_or_default()
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

/// A tensor of a file: one parameter of the model, or several side by side along their outputs.
struct FileTensor {
    name: String,
    parts: Vec<Parameter>,
    /// Whether it is a linear map that the file stores transposed, `[output, input]`.
    turned: bool,
    /// How often the parts take turns: once where each stands in one piece.
    groups: usize,
    /// Whether it holds all experts, one after another, each with its parts.
    stacked: bool,
}

/// A parameter of the model: its name and shape here.
struct Parameter {
    name: String,
    shape: Vec<usize>,
    is_linear: bool,
}

/// The tensors of the family's file, each with the parameters that it holds.
fn layout(model: &Transformer, family: &Family, base: &str) -> Vec<FileTensor> {
    let mut visitor = Parameters::default();
    model.visit(&mut visitor);
    let mut tensors: Vec<FileTensor> = Vec::new();
    for parameter in visitor.found {
        let ours = in_pytorch(&parameter.name);
        let name = family.tensor_name_in(model.config(), &ours, base);
        match tensors.iter_mut().find(|tensor| tensor.name == name) {
            Some(tensor) => tensor.parts.push(parameter),
            None => tensors.push(FileTensor {
                turned: parameter.is_linear && !family.is_untransposed(&ours),
                groups: match family.is_grouped(&ours) {
                    true => model.config().key_heads(),
                    false => 1,
                },
                stacked: family.is_stacked(&ours),
                name,
                parts: vec![parameter],
            }),
        }
    }
    for tensor in &mut tensors {
        let place = |part: &Parameter| family.place_of(&in_pytorch(&part.name));
        tensor.parts.sort_by_key(place);
        if let (true, Some(experts)) = (tensor.stacked, model.config().experts) {
            tensor.by_expert(experts.count);
        }
    }
    tensors
}

impl FileTensor {
    /// Sorts the parts of a stacked tensor, all gates before all others, by their experts. The numbers of each take
    /// turns.
    fn by_expert(&mut self, experts: usize) {
        let parts = std::mem::take(&mut self.parts);
        let kinds = parts.len() / experts;
        let mut parts: Vec<_> = parts.into_iter().enumerate().collect();
        parts.sort_by_key(|(place, _)| (place % experts, place / experts));
        self.parts = parts.into_iter().map(|(_, part)| part).collect();
        if kinds > 1 {
            self.groups = self.sizes()[0];
        }
    }

    /// How many parts one expert has; where there are none, how many there are.
    fn kinds(&self) -> usize {
        let shape = &self.parts[0].name;
        let kind = |name: &str| {
            name.rsplit('.')
                .take(2)
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        match self.stacked {
            false => self.parts.len(),
            true => {
                let first = kind(shape);
                let others = self.parts[1..].iter().map(|part| kind(&part.name));
                1 + others.take_while(|other| *other != first).count()
            }
        }
    }

    /// The axis in the file along which the parts stand side by side, of one expert where it is stacked.
    fn axis(&self) -> usize {
        match self.turned {
            true => 0,
            false => self.parts[0].shape.len() - 1,
        }
    }

    /// The sizes of the parts, of one expert where it is stacked.
    fn sizes(&self) -> Vec<usize> {
        let outputs = |part: &Parameter| part.shape.last().copied().unwrap_or(1);
        self.parts[..self.kinds()].iter().map(outputs).collect()
    }

    /// Its shape in the file, of one expert where it is stacked.
    fn shape_of_one(&self) -> Vec<usize> {
        let mut shape = self.parts[0].shape.clone();
        if self.turned {
            shape.reverse();
        }
        if self.kinds() > 1 {
            shape[self.axis()] = self.sizes().iter().sum();
        }
        shape
    }

    /// Its shape in the file.
    fn shape(&self) -> Vec<usize> {
        let mut shape = self.shape_of_one();
        if self.stacked {
            shape.insert(0, self.parts.len() / self.kinds());
        }
        shape
    }

    /// The piece of the tensor in the file for each part, with the part's name.
    fn split(&self, found: Stored) -> Vec<(String, Stored)> {
        let names = self.parts.iter().map(|part| part.name.clone());
        let kinds = self.kinds();
        let experts = match self.stacked {
            true => found.unstack(self.parts.len()),
            false => vec![found],
        };
        let parts = experts.into_iter().flat_map(|one| match kinds {
            1 => vec![one],
            _ => one.split(self.axis(), &self.sizes(), self.groups),
        });
        names.zip(parts).collect()
    }
}

#[derive(Default)]
struct Parameters {
    path: ParameterPath,
    found: Vec<Parameter>,
}

impl ModuleVisitor for Parameters {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.exit();
    }

    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        self.found.push(Parameter {
            name: self.path.name(),
            // Asking for the tensor itself would draw it at random.
            shape: parameter.lazy_shape().to_vec(),
            is_linear: self.path.owner() == Some("Struct:Linear") && D == 2,
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
pub(crate) fn write(
    model: &Transformer,
    family: &Family,
    file: &Path,
) -> Result<(), CheckpointError> {
    let mut numbers = Numbers::default();
    model.clone().valid().visit(&mut numbers);
    let tensors = layout(model, family, family.base)
        .into_iter()
        .map(|tensor| {
            let parts = tensor.parts.iter().map(|part| &numbers.found[&part.name]);
            let view = Written {
                parts: parts.map(|(read, _)| read).collect(),
                dtype: numbers.found[&tensor.parts[0].name].1,
                shape: tensor.shape(),
                shape_of_one: tensor.shape_of_one(),
                turned: tensor.turned,
                groups: tensor.groups,
                kinds: tensor.kinds(),
            };
            (tensor.name, view)
        });
    // Without the format, Python's transformers refuses the file.
    let metadata = [("format".to_owned(), "pt".to_owned())].into();
    let unfinished = file.with_extension("unfinished");
    safetensors::serialize_to_file(tensors, Some(metadata), &unfinished)
        .map_err(|error| io_error(file)(std::io::Error::other(error.to_string())))?;
    fs::rename(&unfinished, file).map_err(io_error(file))
}

/// Gives the numbers of a parameter, transposed if asked to.
type ReadNumbers = Box<dyn Fn(bool) -> TensorData>;

/// A function that reads the numbers of each parameter, by its name.
#[derive(Default)]
struct Numbers {
    path: ParameterPath,
    found: BTreeMap<String, (ReadNumbers, DType)>,
}

impl ModuleVisitor for Numbers {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.exit();
    }

    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        let tensor = parameter.val();
        let dtype = tensor.dtype();
        let read = move |turned: bool| match turned {
            true => tensor.clone().swap_dims(D - 2, D - 1).into_data(),
            false => tensor.clone().into_data(),
        };
        self.found.insert(self.path.name(), (Box::new(read), dtype));
    }
}

/// A tensor to be written to a file; its numbers are fetched when it is written.
struct Written<'a> {
    parts: Vec<&'a ReadNumbers>,
    dtype: DType,
    shape: Vec<usize>,
    shape_of_one: Vec<usize>,
    turned: bool,
    groups: usize,
    kinds: usize,
}

impl View for Written<'_> {
    fn dtype(&self) -> Dtype {
        match self.dtype {
            DType::F64 => Dtype::F64,
            DType::F16 => Dtype::F16,
            DType::BF16 => Dtype::BF16,
            _ => Dtype::F32,
        }
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        let parts: Vec<TensorData> = self.parts.iter().map(|read| read(self.turned)).collect();
        // Turned parts stand below one another, others beside one another, row by row.
        let rows = match (self.turned, &self.shape_of_one[..]) {
            (false, [rows, _]) => *rows * self.groups,
            _ => self.groups,
        };
        let of_one = |parts: &[TensorData]| {
            let row = |row: usize| {
                let bytes = parts.iter().flat_map(move |part| {
                    let bytes = part.as_bytes();
                    let width = bytes.len() / rows;
                    &bytes[row * width..(row + 1) * width]
                });
                bytes.copied()
            };
            (0..rows).flat_map(row).collect::<Vec<u8>>()
        };
        parts.chunks(self.kinds).flat_map(of_one).collect()
    }

    fn data_len(&self) -> usize {
        let count: usize = self.shape.iter().product();
        count * self.dtype.size()
    }
}
