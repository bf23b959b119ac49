//! What `torch.save` writes: a pickle that says what the tensors are, and their numbers beside it.
//!
//! Since PyTorch 1.6 the two are in a ZIP archive; before, they stood one after another. No code of the
//! file is run: see [`pickle`].

mod archive;
mod classes;
mod made;
mod pickle;
mod source;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::ops::Range;
use std::rc::Rc;

use burn::tensor::Bytes;
use bytemuck::Pod;

use self::archive::Archive;
use self::classes::Numbers;
use self::pickle::{Pickle, Storage, Tensor, Value};
use self::source::Source;
use super::files::Format;
use super::stored::{ReadBytes, Stored, numbers};
use crate::CheckpointError;
use crate::files::{File, io_error};

/// The number that a file of PyTorch before 1.6 starts with.
const MAGIC: [u8; 10] = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];

/// A longer name of a tensor is a damaged one.
const LONGEST_NAME: usize = 1000;

/// Why there are no tensors.
enum Fault {
    Io(io::Error),
    /// It is not whole.
    Damaged(String),
    /// It is whole, and not read here.
    Refused(String),
}

impl Fault {
    fn damaged(message: &str) -> Self {
        Self::Damaged(message.to_owned())
    }
}

/// The tensors of a file, by their names.
pub(super) fn open(file: &File) -> Result<Vec<(String, Stored)>, CheckpointError> {
    tensors(file).map_err(|fault| match fault {
        Fault::Io(error) => io_error(file.path())(error),
        Fault::Damaged(message) => CheckpointError::Damaged {
            path: file.path().to_owned(),
            format: Format::PyTorch.name(),
            message,
        },
        Fault::Refused(message) => CheckpointError::Pickle {
            path: file.path().to_owned(),
            message,
        },
    })
}

fn tensors(file: &File) -> Result<Vec<(String, Stored)>, Fault> {
    let length = file.length()?;
    let (pickle, places) = match Archive::is_one(file, length)? {
        true => in_archive(file, length)?,
        false => one_after_another(file, length)?,
    };
    let Value::Dict(_) = pickle.value else {
        let message = "it holds no dictionary of tensors, as model.state_dict() is one";
        return Err(Fault::Refused(message.to_owned()));
    };
    // The last one of a name counts.
    let mut found = BTreeMap::new();
    for pair in pickle.contents(&pickle.value).as_chunks::<2>().0 {
        let [Value::Text(name), value] = pair else {
            return Err(Fault::damaged("a tensor in it has no name"));
        };
        if name.len() > LONGEST_NAME {
            return Err(Fault::damaged("a name in it is too long"));
        }
        let stored = match value {
            Value::Tensor(tensor) => stored(file, length, name, tensor, &places)?,
            _ => Stored {
                dtype: Err("no tensor".to_owned()),
                shape: Vec::new(),
                read: Box::new(|| Ok(Bytes::from_bytes_vec(Vec::new()))),
            },
        };
        found.insert(name.to_string(), stored);
    }
    Ok(found.into_iter().collect())
}

/// Where the bytes of each storage are, by its key.
type Places = HashMap<Rc<str>, Range<u64>>;

/// Every tensor in the dictionary that a pickle is.
fn storages(pickle: &Pickle) -> impl Iterator<Item = &Rc<Storage>> {
    let values = pickle.contents(&pickle.value).iter();
    values.filter_map(|value| match value {
        Value::Tensor(tensor) => Some(&tensor.storage),
        _ => None,
    })
}

fn in_archive(file: &File, length: u64) -> Result<(Pickle, Places), Fault> {
    let archive = Archive::read(file, length)?;
    let folder = archive.folder()?;
    let find = |name: &str| archive.find(file, length, &format!("{folder}{name}"));
    let missing = |name: &str| Fault::Damaged(format!("{folder}{name} is missing in it"));
    if let Some(order) = find("byteorder")? {
        let mut source = Source::new(file, order.start, order.end);
        if source.bytes(order.end - order.start)? != b"little" {
            let message =
                "its numbers are those of a big-endian machine, which relprop does not read";
            return Err(Fault::Refused(message.to_owned()));
        }
    }
    let place = find("data.pkl")?.ok_or_else(|| missing("data.pkl"))?;
    let pickle = Pickle::read(&mut Source::new(file, place.start, place.end))?;
    let mut places = Places::new();
    for storage in storages(&pickle) {
        if !places.contains_key(&storage.key) {
            let name = format!("data/{}", storage.key);
            let place = find(&name)?.ok_or_else(|| missing(&name))?;
            places.insert(Rc::clone(&storage.key), place);
        }
    }
    Ok((pickle, places))
}

/// As PyTorch wrote before 1.6: pickles of a number, the format, the machine, the tensors and the keys of
/// storages; then the storages, each with the count of its numbers before it.
fn one_after_another(file: &File, length: u64) -> Result<(Pickle, Places), Fault> {
    let mut source = Source::new(file, 0, length);
    let no_pickle =
        || Fault::damaged("it starts neither as a ZIP archive nor as a pickle of PyTorch");
    if source.byte()? != 0x80 {
        return Err(no_pickle());
    }
    let mut source = Source::new(file, 0, length);
    match Pickle::read(&mut source)?.value {
        Value::Large(bytes) if *bytes == MAGIC => {}
        _ => return Err(no_pickle()),
    }
    for _ in ["format", "machine"] {
        Pickle::read(&mut source)?;
    }
    let pickle = Pickle::read(&mut source)?;
    let keys = Pickle::read(&mut source)?;
    let sizes: HashMap<_, _> = storages(&pickle)
        .map(|storage| (Rc::clone(&storage.key), storage.numbers))
        .collect();
    let mut places = Places::new();
    for key in keys.contents(&keys.value) {
        let known = match key {
            Value::Text(key) => sizes.get_key_value(key),
            _ => None,
        };
        let Some((key, Some(numbers))) = known else {
            return Err(Fault::damaged("a storage in it belongs to no tensor"));
        };
        let count = u64::from_le_bytes(source.array()?);
        let start = source.position();
        let bytes = count.checked_mul(numbers.size);
        let bytes = bytes.ok_or_else(|| Fault::damaged("a storage in it is longer than it"))?;
        source.skip(bytes)?;
        places.insert(Rc::clone(key), start..start + bytes);
    }
    Ok((pickle, places))
}

/// A tensor whose numbers are still in the file, all of which are checked to be there.
fn stored(
    file: &File,
    length: u64,
    name: &str,
    tensor: &Tensor,
    places: &Places,
) -> Result<Stored, Fault> {
    let Tensor {
        storage, numbers, ..
    } = tensor;
    let Numbers { size, .. } = *numbers;
    let wrong = || Fault::Damaged(format!("{name} reaches beyond the numbers that are stored"));
    let place = places.get(&storage.key).ok_or_else(wrong)?;
    // What the storage says that it has must be there; a part of it is all that its tensors may have.
    let kept = (place.end - place.start) / size;
    let count = match storage.numbers {
        Some(numbers) if numbers.size != size => return Err(wrong()),
        Some(_) => storage.count,
        None => storage.count / size,
    };
    let (before, count) = storage.part.unwrap_or((0, count));
    if before.checked_add(count).is_none_or(|end| end > kept) {
        return Err(wrong());
    }
    let axes = || tensor.shape.iter().zip(&tensor.strides);
    let all = tensor
        .shape
        .iter()
        .try_fold(1, |all: u64, size| all.checked_mul(*size));
    // Numbers may be there several times, but not more of them than the file has bytes.
    let all = all.filter(|all| *all <= length / size).ok_or_else(wrong)?;
    let last = axes().try_fold(0, |last: u64, (size, stride)| {
        last.checked_add(size.saturating_sub(1).checked_mul(*stride)?)
    });
    let span = match (all, last) {
        (0, _) => 0,
        (_, Some(last)) => last.checked_add(1).ok_or_else(wrong)?,
        (_, None) => return Err(wrong()),
    };
    if tensor
        .offset
        .checked_add(span)
        .is_none_or(|end| end > count)
    {
        return Err(wrong());
    }

    let axes: Vec<_> = axes()
        .map(|(size, stride)| (*size as usize, *stride as usize))
        .collect();
    let layout = Layout {
        file: file.clone(),
        begin: place.start + (before + tensor.offset) * size,
        span: span as usize,
        all: all as usize,
        axes: axes.clone(),
    };
    let read: Box<ReadBytes> = match size {
        1 => Box::new(move || layout.read::<u8>()),
        2 => Box::new(move || layout.read::<u16>()),
        4 => Box::new(move || layout.read::<u32>()),
        8 => Box::new(move || layout.read::<u64>()),
        _ => Box::new(move || layout.read::<u128>()),
    };
    Ok(Stored {
        dtype: numbers.float.ok_or_else(|| numbers.name.to_owned()),
        shape: axes.into_iter().map(|(size, _)| size).collect(),
        read,
    })
}

/// Where a tensor's numbers are.
struct Layout {
    file: File,
    /// Where the first one is in the file.
    begin: u64,
    /// How many numbers the file has from the first to the last one.
    span: usize,
    /// How many the tensor has.
    all: usize,
    /// How many there are along each axis, and how far apart.
    axes: Vec<(usize, usize)>,
}

impl Layout {
    /// The numbers, the last axis first.
    fn read<E: Pod + Send + Sync>(&self) -> io::Result<Bytes> {
        let (mut in_order, mut step) = (true, 1);
        for (size, stride) in self.axes.iter().rev() {
            in_order &= *size == 1 || *stride == step;
            step *= size;
        }
        let found = numbers::<E>(&self.file, self.begin, self.span)?;
        if in_order || self.all == 0 {
            return Ok(Bytes::from_elems(found));
        }
        let mut places = vec![0; self.axes.len()];
        let mut at = 0;
        let mut next = || {
            let number = found[at];
            for (place, (size, stride)) in places.iter_mut().zip(&self.axes).rev() {
                *place += 1;
                at += stride;
                if place < &mut size.clone() {
                    break;
                }
                at -= *place * stride;
                *place = 0;
            }
            number
        };
        Ok(Bytes::from_elems((0..self.all).map(|_| next()).collect()))
    }
}
