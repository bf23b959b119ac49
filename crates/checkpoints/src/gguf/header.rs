//! The header of a GGUF file: what is said of the model, and where its tensors are.

use std::collections::BTreeMap;
use std::io;

use super::blocks::Kind;
use crate::files::File;

/// A longer name, of a key or a tensor, is a damaged one.
const LONGEST_NAME: u64 = 1000;

/// Why a header is not read.
pub(super) enum Fault {
    Io(io::Error),
    /// It is not whole.
    Damaged(String),
    /// It is whole, and not read here.
    Refused(String),
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// What a key of the metadata has.
#[derive(Debug)]
pub(super) enum Value {
    Text(String),
    Whole(i128),
    Number(f64),
    Flag(bool),
    Texts(Vec<String>),
    Numbers(Vec<f32>),
    /// A list of lists, which no key has that is read here.
    Lists,
}

/// Where a tensor is.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) kind: Kind,
    /// As PyTorch gives it: the last size is that of a row.
    pub(super) shape: Vec<usize>,
    /// Its first byte in the file.
    pub(super) start: u64,
}

/// The header.
pub(super) struct Header {
    pub(super) keys: BTreeMap<String, Value>,
    pub(super) tensors: BTreeMap<String, Place>,
}

impl Header {
    pub(super) fn read(file: &File) -> Result<Self, Fault> {
        let mut source = Source {
            file,
            length: file.length()?,
            at: 0,
            buffer: Vec::new(),
            used: 0,
        };
        if source.take::<4>()? != *b"GGUF" {
            return Err(Fault::Damaged("it does not begin with `GGUF`".to_owned()));
        }
        match source.u32()? {
            2 | 3 => {}
            version if version.swap_bytes() <= 3 => {
                let message = "its numbers are big-endian, which relprop does not read";
                return Err(Fault::Refused(message.to_owned()));
            }
            version => {
                let message = format!("its version is {version}; relprop reads 2 and 3");
                return Err(Fault::Refused(message));
            }
        }
        let (tensors, keys) = (source.u64()?, source.u64()?);
        let mut header = Self {
            keys: BTreeMap::new(),
            tensors: BTreeMap::new(),
        };
        for _ in 0..keys {
            let key = source.name()?;
            let kind = source.u32()?;
            let value = source.value(kind)?;
            if header.keys.insert(key.clone(), value).is_some() {
                return Err(Fault::Damaged(format!("it has `{key}` twice")));
            }
        }
        for _ in 0..tensors {
            let (name, place) = source.tensor()?;
            if header.tensors.insert(name.clone(), place).is_some() {
                return Err(Fault::Damaged(format!("it has the tensor {name} twice")));
            }
        }
        let alignment = match header.keys.get("general.alignment") {
            None => 32,
            Some(Value::Whole(size @ 1..=65536)) => *size as u64,
            Some(_) => return Err(Fault::Damaged("`general.alignment` is no size".to_owned())),
        };
        let data = source.at.next_multiple_of(alignment);
        for (name, place) in &mut header.tensors {
            let size = place.kind.size(place.shape.iter().product()) as u64;
            let start = data.checked_add(place.start);
            let end = start.and_then(|start| start.checked_add(size));
            let (Some(start), Some(_)) = (start, end.filter(|end| *end <= source.length)) else {
                return Err(Fault::Damaged(format!(
                    "it ends before the tensor {name} does"
                )));
            };
            place.start = start;
        }
        if let Some(Value::Whole(2..)) = header.keys.get("split.count") {
            let message = "`split.count` says that it is one of several files; llama.cpp's \
                           llama-gguf-split --merge makes them one";
            return Err(Fault::Refused(message.to_owned()));
        }
        Ok(header)
    }

    /// The text that a key has.
    pub(super) fn text(&self, key: &str) -> Result<Option<&str>, String> {
        match self.keys.get(key) {
            None => Ok(None),
            Some(Value::Text(text)) => Ok(Some(text)),
            Some(_) => Err(format!("`{key}` is no text")),
        }
    }

    /// The size, or the number of a token, that a key has.
    pub(super) fn size(&self, key: &str) -> Result<Option<usize>, String> {
        match self.keys.get(key) {
            None => Ok(None),
            Some(Value::Whole(size)) => match usize::try_from(*size) {
                Ok(size) => Ok(Some(size)),
                Err(_) => Err(format!("`{key}` is {size}; it must be a size")),
            },
            Some(Value::Numbers(_)) => Err(format!(
                "`{key}` has a number for each block, which relprop does not compute"
            )),
            Some(_) => Err(format!("`{key}` is no whole number")),
        }
    }

    /// The number that a key has.
    pub(super) fn number(&self, key: &str) -> Result<Option<f64>, String> {
        match self.keys.get(key) {
            None => Ok(None),
            Some(Value::Whole(number)) => Ok(Some(*number as f64)),
            Some(Value::Number(number)) if number.is_finite() => Ok(Some(*number)),
            Some(_) => Err(format!("`{key}` is no number")),
        }
    }

    /// What a key says, yes or no.
    pub(super) fn flag(&self, key: &str) -> Result<Option<bool>, String> {
        match self.keys.get(key) {
            None => Ok(None),
            Some(Value::Flag(flag)) => Ok(Some(*flag)),
            Some(_) => Err(format!("`{key}` is neither true nor false")),
        }
    }

    /// The texts that a key has.
    pub(super) fn texts(&self, key: &str) -> Result<Option<&[String]>, String> {
        match self.keys.get(key) {
            None => Ok(None),
            Some(Value::Texts(texts)) => Ok(Some(texts)),
            Some(_) => Err(format!("`{key}` is no list of texts")),
        }
    }

    /// The numbers that a key has.
    pub(super) fn numbers(&self, key: &str) -> Result<Option<&[f32]>, String> {
        match self.keys.get(key) {
            None => Ok(None),
            Some(Value::Numbers(numbers)) => Ok(Some(numbers)),
            Some(_) => Err(format!("`{key}` is no list of numbers")),
        }
    }
}

/// The bytes of a file, one after another.
struct Source<'a> {
    file: &'a File,
    length: u64,
    /// The place of the next byte.
    at: u64,
    /// Bytes that were read ahead, of which so many are `used`.
    buffer: Vec<u8>,
    used: usize,
}

impl Source<'_> {
    /// The next bytes; an error where the file has fewer.
    fn bytes(&mut self, count: u64) -> Result<Vec<u8>, Fault> {
        if count > self.length - self.at {
            return Err(Fault::Damaged("it ends within its header".to_owned()));
        }
        let mut found = Vec::new();
        let count = count as usize;
        while found.len() < count {
            if self.used == self.buffer.len() {
                let start = self.at + found.len() as u64;
                let ahead = (self.length - start).min(1 << 16);
                self.buffer.resize(ahead as usize, 0);
                self.file.read_at(start, &mut self.buffer)?;
                self.used = 0;
            }
            let rest = &self.buffer[self.used..];
            let taken = rest.len().min(count - found.len());
            found.extend_from_slice(&rest[..taken]);
            self.used += taken;
        }
        self.at += count as u64;
        Ok(found)
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let bytes = self.bytes(N as u64)?;
        let mut taken = [0; N];
        taken.copy_from_slice(&bytes);
        Ok(taken)
    }

    fn u32(&mut self) -> Result<u32, Fault> {
        self.take().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Result<u64, Fault> {
        self.take().map(u64::from_le_bytes)
    }

    fn text(&mut self) -> Result<String, Fault> {
        let length = self.u64()?;
        let bytes = self.bytes(length)?;
        // A token of a damaged vocabulary may be no text.
        Ok(String::from_utf8(bytes)
            .unwrap_or_else(|wrong| String::from_utf8_lossy(wrong.as_bytes()).into_owned()))
    }

    fn name(&mut self) -> Result<String, Fault> {
        let length = self.u64()?;
        if length > LONGEST_NAME {
            return Err(Fault::Damaged("a name in it is too long".to_owned()));
        }
        let bytes = self.bytes(length)?;
        String::from_utf8(bytes).map_err(|_| Fault::Damaged("a name in it is no text".to_owned()))
    }

    fn value(&mut self, kind: u32) -> Result<Value, Fault> {
        Ok(match kind {
            0 => Value::Whole(self.take().map(u8::from_le_bytes)?.into()),
            1 => Value::Whole(self.take().map(i8::from_le_bytes)?.into()),
            2 => Value::Whole(self.take().map(u16::from_le_bytes)?.into()),
            3 => Value::Whole(self.take().map(i16::from_le_bytes)?.into()),
            4 => Value::Whole(self.u32()?.into()),
            5 => Value::Whole(self.take().map(i32::from_le_bytes)?.into()),
            6 => {
                let number = self.take().map(f32::from_le_bytes)?;
                // The shortest number in decimals that it is: 1e-5, and not 9.99999974737875e-6.
                Value::Number(number.to_string().parse().unwrap_or(f64::from(number)))
            }
            7 => Value::Flag(self.take::<1>()? != [0]),
            8 => Value::Text(self.text()?),
            9 => self.list()?,
            10 => Value::Whole(self.u64()?.into()),
            11 => Value::Whole(self.take().map(i64::from_le_bytes)?.into()),
            12 => Value::Number(self.take().map(f64::from_le_bytes)?),
            _ => return Err(Fault::Damaged(format!("it has a value of the kind {kind}"))),
        })
    }

    fn list(&mut self) -> Result<Value, Fault> {
        let (kind, count) = (self.u32()?, self.u64()?);
        let least = match kind {
            0 | 1 | 7 => 1,
            2 | 3 => 2,
            4..=6 => 4,
            8 | 10..=12 => 8,
            9 => 12,
            _ => return Err(Fault::Damaged(format!("it has a list of the kind {kind}"))),
        };
        if count
            .checked_mul(least)
            .is_none_or(|size| size > self.length - self.at)
        {
            return Err(Fault::Damaged(
                "a list in it is longer than it is".to_owned(),
            ));
        }
        match kind {
            8 => {
                let mut texts = Vec::new();
                for _ in 0..count {
                    texts.push(self.text()?);
                }
                Ok(Value::Texts(texts))
            }
            9 => {
                let message = "it has a list of lists, which relprop does not read";
                Err(Fault::Refused(message.to_owned()))
            }
            _ => {
                let mut numbers = Vec::new();
                for _ in 0..count {
                    numbers.push(match self.value(kind)? {
                        Value::Whole(number) => number as f32,
                        Value::Number(number) => number as f32,
                        Value::Flag(flag) => f32::from(u8::from(flag)),
                        _ => return Ok(Value::Lists),
                    });
                }
                Ok(Value::Numbers(numbers))
            }
        }
    }

    fn tensor(&mut self) -> Result<(String, Place), Fault> {
        let name = self.name()?;
        let damaged = |what: &str| Fault::Damaged(format!("the tensor {name} has {what}"));
        let sizes = self.u32()?;
        if !(1..=4).contains(&sizes) {
            return Err(damaged(&format!("{sizes} sizes")));
        }
        let mut shape = Vec::new();
        for _ in 0..sizes {
            let size = usize::try_from(self.u64()?).unwrap_or(usize::MAX);
            shape.insert(0, size);
        }
        let number = self.u32()?;
        let kind = Kind::of(number).map_err(|kind| {
            Fault::Refused(format!(
                "the tensor {name} is quantised as {kind}, which relprop does not read; it reads {}",
                Kind::names()
            ))
        })?;
        let count = shape
            .iter()
            .try_fold(1_usize, |all, size| all.checked_mul(*size));
        let fits = count.filter(|count| count.checked_mul(8).is_some());
        let row = shape.last().copied().unwrap_or_default();
        if fits.is_none_or(|count| count == 0) || !row.is_multiple_of(kind.block()) {
            return Err(damaged(&format!("the shape {shape:?}")));
        }
        let start = self.u64()?;
        Ok((name, Place { kind, shape, start }))
    }
}
