//! A tensor whose type and shape are known, and whose numbers are read when they are asked for.
//!
//! Each tensor is read from its file by itself, so that there are never two copies of a model in
//! memory. Mapping the file would count as a copy, and needs `unsafe`.

use std::cmp::Ordering;
use std::io;
use std::ops::Range;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use burn::store::{bridge, burn_pack};
use burn::tensor::{Bytes, DType, Shape, TensorData};
use bytemuck::{Pod, cast_slice_mut};

use crate::files::File;

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

    /// The type of its floats; the file's word for what it holds if that is no float.
    pub(crate) fn dtype(&self) -> Result<DType, &str> {
        self.dtype.as_ref().copied().map_err(String::as_str)
    }

    /// Its sizes.
    pub(crate) fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// All its bytes.
    pub(crate) fn bytes(&self) -> io::Result<Bytes> {
        (self.read)()
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

/// Reads `count` numbers to where numbers of their size may stand: Burn would move them there, which
/// takes a second copy.
pub(crate) fn numbers<E: Pod>(file: &File, begin: u64, count: usize) -> io::Result<Vec<E>> {
    let mut numbers = vec![E::zeroed(); count];
    file.read_at(begin, cast_slice_mut(&mut numbers))?;
    Ok(numbers)
}
