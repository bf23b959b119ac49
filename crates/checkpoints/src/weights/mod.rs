//! A model's weights: tensors under the family's names, in the family's layout.

mod change;
mod files;
mod layout;
mod positions;
mod pytorch;
mod safetensors;
mod stored;
mod tensors;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use ::safetensors::tensor::{Dtype, View};
use burn::module::{Module, ModuleVisitor, Param};
use burn::store::{FloatCastAdapter, ModuleAdapter, ModuleSnapshot, PyTorchToBurnAdapter};
use burn::tensor::{DType, Tensor, TensorData};

pub(crate) use self::layout::LOGIT_BIAS;
use self::layout::layout;
use self::stored::NotFinite;
use crate::files::{io_error, sha256_of};
use crate::{CheckpointError, Family};
use relprop_transformer::{ParameterPath, Transformer, TransformerConfig};

pub(crate) use change::numbers as floats_of;
pub(crate) use change::{Changes, Product};
pub use files::WEIGHT_FILES;
pub(crate) use files::{WEIGHTS, WeightFiles};
#[cfg(feature = "hub")]
pub(crate) use files::{index_of, read_index};
pub(crate) use positions::Interpolation;
pub(crate) use stored::{Stored, numbers};
pub(crate) use tensors::open;

/// Reads every tensor of the model, into floats of the type that it has. Another core computes the SHA-256 of the files
/// meanwhile, one after another, those of changes at the end; it is returned in hexadecimal.
///
/// All faults of names, types and shapes are found before the first number is read.
pub(crate) fn read(
    model: &mut Transformer,
    family: &Family,
    files: &WeightFiles,
    mut stored: BTreeMap<String, Stored>,
    mut changes: Changes,
) -> Result<String, CheckpointError> {
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
            if name == LOGIT_BIAS {
                continue;
            }
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
        return Err(files.wrong(problems));
    }

    let dtype = model.dtype();
    let cast = || FloatCastAdapter::to(dtype);
    let turn: Box<dyn ModuleAdapter> = Box::new(PyTorchToBurnAdapter.chain(cast()));
    let hashed = [files.parts(), &changes.files].concat();
    let mut sha256 = None;
    rayon::in_place_scope(|beside| {
        beside.spawn(|_| sha256 = Some(sha256_of(&hashed)));
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
    })?;
    sha256.expect("a scope waits for what it began")
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
        _ => return stored.remove(name).or_else(|| shared(stored, name)),
    };
    stored.remove(name).or_else(|| stored.remove(&old))
}

/// The table of word embeddings of two stacks, of which a file may have a copy alone, under the name of the encoder's
/// or the decoder's.
fn shared(stored: &mut BTreeMap<String, Stored>, name: &str) -> Option<Stored> {
    let base = name.strip_suffix("shared.weight")?;
    let copies = ["encoder", "decoder"].map(|stack| format!("{base}{stack}.embed_tokens.weight"));
    copies.iter().find_map(|copy| stored.remove(copy))
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
    ::safetensors::serialize_to_file(tensors, Some(metadata), &unfinished)
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
