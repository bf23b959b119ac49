//! GGUF files, which hold a whole model: its configuration and its tokenizer as metadata, and its weights,
//! which may be quantised.

mod blocks;
mod config;
mod header;
mod names;
mod rope;
#[cfg(test)]
mod tests;
mod tokenizer;

use std::collections::BTreeMap;
use std::path::Path;

use burn::tensor::{Bytes, DType};

use self::blocks::Kind;
use self::header::{Header, Place};
use self::names::Undone;
use crate::CheckpointError;
use crate::files::{File, Files, io_error, is_gguf};
use crate::tokenizer::Tokenizer;
use crate::weights::{Stored, WeightFiles, numbers};

/// A GGUF file whose header was read.
pub(crate) struct Gguf {
    file: File,
    header: Header,
}

impl Gguf {
    /// The one GGUF file among these, if they are no other model; none if there is none.
    pub(crate) fn among(files: &Files) -> Result<Option<Self>, CheckpointError> {
        if files.get(crate::files::CONFIG).is_some() || files.get(crate::adapter::ADAPTER).is_some()
        {
            return Ok(None);
        }
        let paths = files.paths();
        let mut found = paths.iter().filter(|path| is_gguf(path));
        let Some(path) = found.next() else {
            return Ok(None);
        };
        if let Some(other) = found.next() {
            let message = format!(
                "{} is one as well; give the path of the one to read",
                name(other)
            );
            return Err(wrong(path, message));
        }
        let Some(file) = files.get(&name(path)) else {
            return Ok(None);
        };
        let header = Header::read(&file).map_err(|fault| match fault {
            header::Fault::Io(error) => io_error(file.path())(error),
            header::Fault::Damaged(message) => CheckpointError::Damaged {
                path: file.path().to_owned(),
                format: "GGUF",
                message,
            },
            header::Fault::Refused(message) => wrong(file.path(), message),
        })?;
        Ok(Some(Self { file, header }))
    }

    /// What a `config.json` of transformers says of the same model.
    pub(crate) fn config(&self) -> Result<String, CheckpointError> {
        let mut json = config::described(&self.header).map_err(|message| self.wrong(message))?;
        if let Some(place) = self.header.tensors.get(rope::FACTORS) {
            let factors = self.stored(place, &Undone::Nothing);
            let factors = factors.floats().map_err(io_error(self.file.path()))?;
            let scaling = rope::scaling(&json, &factors).map_err(|message| self.wrong(message))?;
            if let Some(scaling) = scaling {
                json.insert("rope_scaling".to_owned(), scaling);
            }
        }
        Ok(serde_json::Value::Object(json).to_string())
    }

    /// The weights, under the names and in the order that transformers has.
    pub(crate) fn tensors(&self) -> Result<BTreeMap<String, Stored>, CheckpointError> {
        let named = self.header.tensors.iter();
        let named = named.filter(|(name, _)| *name != rope::FACTORS);
        let named = named.map(|(name, place)| {
            let (name, undone) =
                names::of(&self.header, name).map_err(|message| self.wrong(message))?;
            Ok((name, self.stored(place, &undone)))
        });
        named.collect()
    }

    /// The file as one that holds weights.
    pub(crate) fn weight_files(&self) -> WeightFiles {
        WeightFiles::gguf(self.file.clone())
    }

    /// The tokenizer.
    pub(crate) fn tokenizer(&self) -> Result<Tokenizer, CheckpointError> {
        let read = tokenizer::read(&self.header);
        read.map_err(|message| CheckpointError::Tokenizer {
            path: self.file.path().to_owned(),
            message,
        })
    }

    /// Where errors say that something is.
    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    fn stored(&self, place: &Place, undone: &Undone) -> Stored {
        let (file, place, undone) = (self.file.clone(), place.clone(), *undone);
        let dtype = match place.kind {
            _ if undone == Undone::AddedOne => DType::F32,
            Kind::F16 => DType::F16,
            Kind::Bf16 => DType::BF16,
            Kind::F64 => DType::F64,
            _ => DType::F32,
        };
        let shape = place.shape.clone();
        let read = move || {
            let count = place.shape.iter().product();
            let bytes = match place.kind {
                Kind::F64 => Bytes::from_elems(numbers::<u64>(&file, place.start, count)?),
                Kind::F32 => Bytes::from_elems(numbers::<u32>(&file, place.start, count)?),
                Kind::F16 | Kind::Bf16 => {
                    Bytes::from_elems(numbers::<u16>(&file, place.start, count)?)
                }
                kind => {
                    let mut blocks = vec![0; kind.size(count)];
                    file.read_at(place.start, &mut blocks)?;
                    Bytes::from_elems(kind.numbers(&blocks, count))
                }
            };
            Ok(undone.undo(bytes, place.kind, &place.shape))
        };
        Stored::new(dtype, shape, Box::new(read))
    }

    fn wrong(&self, message: String) -> CheckpointError {
        wrong(self.file.path(), message)
    }
}

fn name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

fn wrong(path: &Path, message: String) -> CheckpointError {
    CheckpointError::Config {
        path: path.to_owned(),
        message,
    }
}
