//! The tensors of a file that stand for one.

use std::collections::BTreeMap;
use std::io;

use burn::tensor::{Bytes, DType};

use crate::weights::Stored;

/// The tensors of one module, whose names begin alike.
pub(super) struct Parts<'a> {
    stored: &'a mut BTreeMap<String, Stored>,
    module: String,
}

impl<'a> Parts<'a> {
    pub(super) fn new(stored: &'a mut BTreeMap<String, Stored>, module: String) -> Self {
        Self { stored, module }
    }

    /// What the tensor is called that they stand for.
    pub(super) fn name(&self) -> String {
        match self.module.ends_with('.') {
            true => format!("{}weight", self.module),
            false => self.module.clone(),
        }
    }

    /// Takes out a part, if it is there.
    pub(super) fn find(&mut self, part: &str) -> Option<Stored> {
        self.stored.remove(&format!("{}{part}", self.module))
    }

    /// Takes out the parts whose names begin so.
    pub(super) fn beginning(&mut self, part: &str) -> Vec<Stored> {
        let start = format!("{}{part}", self.module);
        let names = self.stored.keys().filter(|name| name.starts_with(&start));
        let names: Vec<String> = names.cloned().collect();
        let taken = names.iter().filter_map(|name| self.stored.remove(name));
        taken.collect()
    }

    /// Takes out a part.
    pub(super) fn take(&mut self, part: &str) -> Result<Stored, String> {
        self.find(part).ok_or_else(|| format!("it has no `{part}`"))
    }

    /// Takes out a part that holds numbers of this type, as the file calls it.
    pub(super) fn take_of(&mut self, part: &str, dtype: &str) -> Result<Stored, String> {
        let found = self.take(part)?;
        match found.dtype() {
            Err(is) if is == dtype => Ok(found),
            Err(is) => Err(format!("`{part}` holds {is} where {dtype} is read")),
            Ok(is) => Err(format!("`{part}` holds {is:?} where {dtype} is read")),
        }
    }

    /// Takes out a part that holds floats.
    pub(super) fn take_floats(&mut self, part: &str) -> Result<Stored, String> {
        let found = self.take(part)?;
        match found.dtype() {
            Ok(_) => Ok(found),
            Err(is) => Err(format!("`{part}` holds {is}, which is no float")),
        }
    }
}

/// The sizes of a matrix.
pub(super) fn matrix(part: &str, tensor: &Stored) -> Result<[usize; 2], String> {
    <[usize; 2]>::try_from(tensor.shape()).map_err(|_| {
        format!(
            "`{part}` has the shape {:?}; it must be a matrix",
            tensor.shape()
        )
    })
}

/// Refuses a part that has another shape than the others ask for.
pub(super) fn fits(part: &str, tensor: &Stored, expected: &[usize]) -> Result<(), String> {
    match tensor.shape() == expected {
        true => Ok(()),
        false => Err(format!(
            "`{part}` has the shape {:?}; the other parts go with {expected:?}",
            tensor.shape()
        )),
    }
}

/// The words of 32 bits of a tensor.
pub(super) fn words(tensor: &Stored) -> io::Result<Vec<u32>> {
    let bytes = tensor.bytes()?;
    let words = bytes.as_chunks().0.iter();
    Ok(words.map(|word| u32::from_le_bytes(*word)).collect())
}

/// The number of so many bits that stands at this place in a row of words, from the lowest bit on.
pub(super) fn number(words: &[u32], bits: u32, at: usize) -> u32 {
    let per_word = (u32::BITS / bits) as usize;
    let shift = (at % per_word) as u32 * bits;
    (words[at / per_word] >> shift) & (u32::MAX >> (u32::BITS - bits))
}

/// A tensor of floats, which `read` computes.
pub(super) fn floats(
    shape: Vec<usize>,
    read: impl Fn() -> io::Result<Vec<f32>> + Send + Sync + 'static,
) -> Stored {
    let read = move || read().map(Bytes::from_elems);
    Stored::new(DType::F32, shape, Box::new(read))
}

/// The error for numbers that lead out of their table.
pub(super) fn out_of(table: &str) -> io::Error {
    let message = format!("a number is beyond the end of `{table}`");
    io::Error::new(io::ErrorKind::InvalidData, message)
}
