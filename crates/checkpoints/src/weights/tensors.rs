//! The tensors of a checkpoint's files: names, types and shapes are read at once, numbers when they
//! are asked for.
//!
//! Each tensor is read from its file by itself, so that there are never two copies of a model in
//! memory. Mapping the file would count as a copy, and needs `unsafe`.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use burn::store::{bridge, burn_pack};
use burn::tensor::{Bytes, DType, Shape, TensorData};
use bytemuck::{Pod, cast_slice_mut};
use safetensors::tensor::{Dtype, Metadata};

use super::files::{Format, WeightFiles};
use super::pytorch;
use crate::CheckpointError;
use crate::files::{File, io_error};

/// A longer header is a damaged one.
const LONGEST_HEADER: u64 = 100_000_000;

/// A tensor whose numbers are still in the file.
pub(crate) struct Stored {
    /// The type of its numbers; the file's word for it if they are no floats.
    pub(super) dtype: Result<DType, String>,
    pub(super) shape: Vec<usize>,
    pub(super) read: Box<ReadBytes>,
}

pub(crate) type ReadBytes = dyn Fn() -> io::Result<Bytes> + Send + Sync;

impl Stored {
    /// A tensor of floats, which `read` reads.
    pub(crate) fn new(dtype: DType, shape: Vec<usize>, read: Box<ReadBytes>) -> Self {
        Self {
            dtype: Ok(dtype),
            shape,
            read,
        }
    }

    /// The first of its sizes.
    pub(crate) fn rows(&self) -> usize {
        self.shape.first().copied().unwrap_or_default()
    }

    /// The parts of these sizes that the tensor is put together of along `axis`: each in one piece, or in as
    /// many equal ones as there are `groups`, which take turns with those of the others.
    pub(super) fn split(self, axis: usize, sizes: &[usize], groups: usize) -> Vec<Self> {
        let Self { dtype, shape, read } = self;
        let read = Arc::new(read);
        let mut start = 0;
        let part = |&size: &usize| {
            let rows = shape[..axis].iter().product::<usize>() * groups;
            let (whole, piece) = (shape[axis] / groups, size / groups);
            let within = start..start + piece;
            start += piece;
            let read = Arc::clone(&read);
            let mut shape = shape.clone();
            shape[axis] = size;
            Self {
                dtype: dtype.clone(),
                shape,
                read: Box::new(move || Ok(part_of(&read()?, rows, whole, within.clone()))),
            }
        };
        sizes.iter().map(part).collect()
    }

    /// What stands one after another along the first axis. The numbers are read once, and kept until they were asked
    /// for `times` times.
    pub(super) fn unstack(self, times: usize) -> Vec<Self> {
        let Self { dtype, shape, read } = self;
        let [count, inner @ ..] = &shape[..] else {
            return Vec::new();
        };
        let count = *count;
        let kept = Arc::new(Mutex::new((None, times)));
        let read = Arc::new(read);
        let one = |index: usize| {
            let (kept, read) = (Arc::clone(&kept), Arc::clone(&read));
            Self {
                dtype: dtype.clone(),
                shape: inner.to_vec(),
                read: Box::new(move || {
                    let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                    let (bytes, left) = &mut *kept;
                    let all: Bytes = match bytes.take() {
                        Some(all) => all,
                        None => read()?,
                    };
                    let part = part_of(&all, 1, count, index..index + 1);
                    *left = left.saturating_sub(1);
                    *bytes = (*left > 0).then_some(all);
                    Ok(part)
                }),
            }
        };
        (0..count).map(one).collect()
    }

    /// Whether the two do not hold the same numbers.
    pub(super) fn differs(&self, other: &Self) -> io::Result<bool> {
        let alike = (&self.dtype, &self.shape) == (&other.dtype, &other.shape);
        Ok(!alike || (self.read)()?[..] != (other.read)()?[..])
    }

    /// Passes the tensor to Burn under `name`, to be read when it is needed. In the file it is
    /// called `tensor`; `not_finite` records a number in it that is not finite.
    pub(super) fn into_burn(
        self,
        name: String,
        dtype: DType,
        tensor: String,
        not_finite: NotFinite,
    ) -> burn_pack::Tensor {
        let Self { shape, read, .. } = self;
        bridge::deferred(name, dtype, Shape::from(shape.clone()), None, move || {
            let bytes = read().map_err(|error| burn_pack::Error::IoError(error.to_string()))?;
            not_finite.look(&tensor, &bytes, dtype);
            Ok(TensorData::from_bytes(bytes, shape.clone(), dtype))
        })
    }
}

/// The first tensor that was seen to have a number that is not finite, with that number.
#[derive(Clone, Default)]
pub(super) struct NotFinite(Arc<OnceLock<(String, &'static str)>>);

impl NotFinite {
    pub(super) fn found(&self) -> Option<(String, &'static str)> {
        self.0.get().cloned()
    }

    fn look(&self, tensor: &str, bytes: &[u8], dtype: DType) {
        // The largest exponent is that of numbers which are not finite.
        let worst = match dtype {
            DType::F64 => largest(
                bytes,
                |b| u64::from_le_bytes(b) & (u64::MAX >> 1),
                0x7ff << 52,
            ),
            DType::F32 => largest(
                bytes,
                |b| u64::from(u32::from_le_bytes(b) & (u32::MAX >> 1)),
                0xff << 23,
            ),
            DType::F16 => largest(
                bytes,
                |b| u64::from(u16::from_le_bytes(b) & (u16::MAX >> 1)),
                0x1f << 10,
            ),
            _ => largest(
                bytes,
                |b| u64::from(u16::from_le_bytes(b) & (u16::MAX >> 1)),
                0xff << 7,
            ),
        };
        if let Some(number) = worst {
            // The first one stays.
            let _ = self.0.set((tensor.to_owned(), number));
        }
    }
}

/// What the largest of the numbers is, without their signs, if it is `infinity` or beyond: as patterns of
/// bits, floats are in the order of their values, and NaN is beyond infinity.
fn largest<const N: usize>(
    bytes: &[u8],
    bits: impl Fn([u8; N]) -> u64,
    infinity: u64,
) -> Option<&'static str> {
    let (numbers, _) = bytes.as_chunks::<N>();
    let largest = numbers.iter().map(|number| bits(*number)).max()?;
    match largest.cmp(&infinity) {
        Ordering::Less => None,
        Ordering::Equal => Some("infinity"),
        Ordering::Greater => Some("NaN"),
    }
}

/// From each of `rows` rows of `whole` equal pieces, the pieces `within`.
fn part_of(bytes: &Bytes, rows: usize, whole: usize, within: Range<usize>) -> Bytes {
    let piece = bytes.len() / (rows * whole).max(1);
    let row = |row: usize| {
        let start = row * whole * piece;
        &bytes[start + within.start * piece..start + within.end * piece]
    };
    Bytes::from_bytes_vec((0..rows).flat_map(row).copied().collect())
}

/// The tensors of all files together, by their names, without the parts that PyTorch adds to names
/// in training.
pub(crate) fn open(files: &WeightFiles) -> Result<BTreeMap<String, Stored>, CheckpointError> {
    let mut found = Vec::new();
    for file in &files.parts {
        found.extend(match files.format {
            Format::Safetensors => safetensors(file)?,
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

/// The part that PyTorch puts before all names when a model is trained in parallel.
const PARALLEL: &str = "module.";

fn safetensors(file: &File) -> Result<Vec<(String, Stored)>, CheckpointError> {
    let damaged = |message: String| CheckpointError::Damaged {
        path: file.path().to_owned(),
        format: Format::Safetensors.name(),
        message,
    };
    let length = file.length().map_err(io_error(file.path()))?;

    let mut start = [0; 8];
    if length < 8 {
        return Err(damaged("it has no header".to_owned()));
    }
    file.read_at(0, &mut start).map_err(io_error(file.path()))?;
    let header_length = u64::from_le_bytes(start);
    if header_length > LONGEST_HEADER || 8 + header_length > length {
        return Err(damaged("its header is longer than it is".to_owned()));
    }
    let mut header = vec![0; header_length as usize];
    file.read_at(8, &mut header)
        .map_err(io_error(file.path()))?;

    // Reading the metadata checks that the tensors lie one after another and fit their shapes.
    let metadata: Metadata = serde_json::from_slice(&header).map_err(|e| damaged(e.to_string()))?;
    let data = 8 + header_length;
    if data.checked_add(metadata.data_len() as u64) != Some(length) {
        return Err(damaged("its tensors do not fill it to the end".to_owned()));
    }

    let tensors = metadata.tensors().into_iter().map(|(name, info)| {
        let (begin, end) = info.data_offsets;
        let (file, size) = (file.clone(), end - begin);
        let begin = data + begin as u64;
        let dtype = float(info.dtype);
        let read: Box<ReadBytes> = match info.dtype.bitsize() {
            64 => Box::new(move || numbers::<u64>(&file, begin, size / 8).map(Bytes::from_elems)),
            32 => Box::new(move || numbers::<u32>(&file, begin, size / 4).map(Bytes::from_elems)),
            _ => Box::new(move || numbers::<u16>(&file, begin, size / 2).map(Bytes::from_elems)),
        };
        let shape = info.shape.clone();
        let tensor = Stored { dtype, shape, read };
        (name, tensor)
    });
    Ok(tensors.collect())
}

/// Reads `count` numbers to where numbers of their size may stand: Burn would move them there, which
/// takes a second copy.
pub(crate) fn numbers<E: Pod>(file: &File, begin: u64, count: usize) -> io::Result<Vec<E>> {
    let mut numbers = vec![E::zeroed(); count];
    file.read_at(begin, cast_slice_mut(&mut numbers))?;
    Ok(numbers)
}

fn float(dtype: Dtype) -> Result<DType, String> {
    match dtype {
        Dtype::F64 => Ok(DType::F64),
        Dtype::F32 => Ok(DType::F32),
        Dtype::F16 => Ok(DType::F16),
        Dtype::BF16 => Ok(DType::BF16),
        other => Err(format!("{other:?}")),
    }
}
