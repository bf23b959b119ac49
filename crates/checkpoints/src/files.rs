//! The files of a model, by their names: in a folder, or in memory.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::CheckpointError;

pub(super) const CONFIG: &str = "config.json";
pub(super) const TOKENIZER: &str = "tokenizer.json";
/// The settings of a language model for how it writes.
pub(super) const GENERATION: &str = "generation_config.json";
/// The settings of a model for pictures, instead of a tokenizer.
pub(super) const PREPROCESSOR: &str = "preprocessor_config.json";
/// The settings of a model for pictures and texts, which have those for pictures in them, where there is no file for these alone.
pub(super) const PROCESSOR: &str = "processor_config.json";
/// The vocabulary that older folders of the BERT kind have instead.
pub(super) const VOCABULARY: &str = "vocab.txt";
/// The vocabulary that older folders of the GPT-2 kind have instead.
pub(super) const MERGES: [&str; 2] = ["vocab.json", "merges.txt"];
/// What older folders have instead whose vocabulary is one of sentencepiece.
pub(super) const SENTENCEPIECE: [&str; 4] = [
    "sentencepiece.bpe.model",
    "tokenizer.model",
    "spiece.model",
    "spm.model",
];
/// What models of translation have instead, beside a `vocab.json`: the pieces of either language.
pub(super) const LANGUAGES: [&str; 2] = ["source.spm", "target.spm"];
/// What stands beside a tokenizer's file.
pub(super) const TOKENIZER_CONFIG: &str = "tokenizer_config.json";
pub(super) const SPECIAL_TOKENS: &str = "special_tokens_map.json";
pub(super) const ADDED_TOKENS: &str = "added_tokens.json";
/// The template of chats: a file of its own, among several of its kind, and where older processors have it.
pub(super) const CHAT_TEMPLATE: &str = "chat_template.jinja";
pub(super) const DEFAULT_CHAT_TEMPLATE: &str = "additional_chat_templates/default.jinja";
pub(super) const CHAT_TEMPLATE_OF_PROCESSOR: &str = "chat_template.json";
/// The files that a model is read from besides its weights. Each decides what the model makes of its input.
pub const SETTINGS_FILES: [&str; 20] = [
    CONFIG,
    GENERATION,
    TOKENIZER,
    VOCABULARY,
    MERGES[0],
    MERGES[1],
    SENTENCEPIECE[0],
    SENTENCEPIECE[1],
    SENTENCEPIECE[2],
    SENTENCEPIECE[3],
    LANGUAGES[0],
    LANGUAGES[1],
    TOKENIZER_CONFIG,
    SPECIAL_TOKENS,
    ADDED_TOKENS,
    PREPROCESSOR,
    PROCESSOR,
    CHAT_TEMPLATE,
    DEFAULT_CHAT_TEMPLATE,
    CHAT_TEMPLATE_OF_PROCESSOR,
];
/// The files that a tokenizer is read from, the first that are there, with what they are.
pub const TOKENIZER_FILES: &[(&[&str], &str)] = &[
    (&[TOKENIZER], "any tokenizer of the `tokenizers` library"),
    (&[VOCABULARY], "BERT's word pieces"),
    (&MERGES, "GPT-2's and RoBERTa's pairs of bytes"),
    (
        &[MERGES[0], LANGUAGES[0], LANGUAGES[1]],
        "sentencepiece for two languages, as Marian has it",
    ),
    (
        &[SENTENCEPIECE[0]],
        "sentencepiece, as XLM-RoBERTa and CamemBERT have it",
    ),
    (
        &[SENTENCEPIECE[1]],
        "sentencepiece, as any of its classes may have it",
    ),
    (
        &[SENTENCEPIECE[2]],
        "sentencepiece, as ALBERT and T5 have it",
    ),
    (
        &[SENTENCEPIECE[3]],
        "sentencepiece, as DeBERTa 2 and 3 have it",
    ),
];
/// Vocabularies that are not read here.
pub(super) const OTHER_VOCABULARIES: [&str; 2] = ["bpe.codes", "tekken.json"];

/// The files that a model is read from, by the names that they have in a folder: `config.json`,
/// `model.safetensors`, and `tokenizer.json` or `preprocessor_config.json`.
#[derive(Clone)]
pub struct Files {
    place: Place,
    /// The files of the model that an adapter among these changes, if they are said.
    base: Option<Box<Self>>,
}

#[derive(Clone)]
enum Place {
    Folder(PathBuf),
    /// One file that holds all.
    Alone(PathBuf),
    AtHand(BTreeMap<String, Arc<Vec<u8>>>),
}

impl Files {
    /// The files of a folder, or the one GGUF file that `folder` is.
    ///
    /// # Errors
    ///
    /// [`CheckpointError::NoFolder`] if there is no such folder, [`CheckpointError::Foreign`] if the
    /// path is that of another program's file.
    pub fn in_folder(folder: &Path) -> Result<Self, CheckpointError> {
        let is_gguf = is_gguf(folder) && folder.is_file();
        match folder.is_dir() {
            true => Ok(Self::at(Place::Folder(folder.to_owned()))),
            false if is_gguf => Ok(Self::at(Place::Alone(folder.to_owned()))),
            false => {
                let foreign = super::foreign::file(folder);
                Err(foreign.unwrap_or_else(|| CheckpointError::NoFolder(folder.to_owned())))
            }
        }
    }

    /// Files whose bytes are at hand, each with its name.
    pub fn at_hand<N: Into<String>>(files: impl IntoIterator<Item = (N, Vec<u8>)>) -> Self {
        let files = files.into_iter();
        let files = files.map(|(name, bytes)| (name.into(), Arc::new(bytes)));
        Self::at(Place::AtHand(files.collect()))
    }

    fn at(place: Place) -> Self {
        Self { place, base: None }
    }

    /// The same files, where `base` is the model that an adapter among them changes, wherever the adapter
    /// says that it is.
    #[must_use]
    pub fn with_base(self, base: Self) -> Self {
        let base = Some(Box::new(base));
        Self { base, ..self }
    }

    /// The model that an adapter among the files changes, if it was given.
    pub(super) fn base(&self) -> Option<&Self> {
        self.base.as_deref()
    }

    /// The files of a folder: one beside or below these, or anywhere else if the path is absolute; none if it
    /// is not there.
    pub(super) fn beside(&self, folder: &str) -> Option<Self> {
        match &self.place {
            Place::Folder(own) => {
                let folder = own.join(folder);
                folder.is_dir().then(|| Self::at(Place::Folder(folder)))
            }
            Place::Alone(_) => None,
            Place::AtHand(files) => {
                let start = format!("{}/", folder.trim_start_matches("./").trim_end_matches('/'));
                let below = files.iter().filter_map(|(name, bytes)| {
                    let name = name.strip_prefix(&start)?;
                    Some((name.to_owned(), Arc::clone(bytes)))
                });
                let below: BTreeMap<_, _> = below.collect();
                (!below.is_empty()).then(|| Self::at(Place::AtHand(below)))
            }
        }
    }

    /// The file of this name, if there is one.
    pub(super) fn get(&self, name: &str) -> Option<File> {
        match &self.place {
            Place::Folder(folder) => {
                let path = folder.join(name);
                path.is_file().then(|| File::on_disk(&path))
            }
            Place::Alone(path) => (path.file_name()? == name).then(|| File::on_disk(path)),
            Place::AtHand(files) => files.get(name).map(|bytes| File {
                path: Path::new(name).into(),
                bytes: Some(Arc::clone(bytes)),
            }),
        }
    }

    /// The paths of all files, in the order of their names.
    pub(super) fn paths(&self) -> Vec<PathBuf> {
        match &self.place {
            Place::Folder(folder) => {
                let entries = fs::read_dir(folder).into_iter().flatten().flatten();
                let mut paths: Vec<_> = entries.map(|entry| entry.path()).collect();
                paths.sort();
                paths
            }
            Place::Alone(path) => vec![path.clone()],
            Place::AtHand(files) => files.keys().map(PathBuf::from).collect(),
        }
    }

    /// The file of this name, which must be there.
    pub(super) fn required(
        &self,
        name: &str,
        purpose: &'static str,
    ) -> Result<File, CheckpointError> {
        self.get(name).ok_or_else(|| self.missing(name, purpose))
    }

    /// What to say where a file is not there.
    pub(super) fn missing(&self, name: &str, purpose: &'static str) -> CheckpointError {
        CheckpointError::NoFile {
            file: name.to_owned(),
            path: match &self.place {
                Place::Folder(folder) => folder.join(name),
                Place::Alone(path) => path.with_file_name(name),
                Place::AtHand(_) => name.into(),
            },
            purpose,
        }
    }
}

/// Whether the name is that of a GGUF file.
pub(super) fn is_gguf(path: &Path) -> bool {
    path.extension()
        .is_some_and(|end| end.eq_ignore_ascii_case("gguf"))
}

/// A file that is read as a whole or in pieces.
#[derive(Clone)]
pub(super) struct File {
    /// Where it is, or its name alone: what errors call it.
    path: Arc<Path>,
    /// Its bytes, if they are at hand.
    bytes: Option<Arc<Vec<u8>>>,
}

impl File {
    pub(super) fn on_disk(path: &Path) -> Self {
        Self {
            path: path.into(),
            bytes: None,
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// All of its bytes.
    pub(super) fn read(&self) -> Result<Vec<u8>, CheckpointError> {
        let bytes = match &self.bytes {
            None => fs::read(&self.path),
            Some(bytes) => Ok(bytes.to_vec()),
        };
        bytes.map_err(io_error(&self.path))
    }

    /// All of its text.
    pub(super) fn text(&self) -> Result<String, CheckpointError> {
        String::from_utf8(self.read()?).map_err(|_| {
            let error = io::Error::new(io::ErrorKind::InvalidData, "it is not in UTF-8");
            io_error(&self.path)(error)
        })
    }

    /// How many bytes it has.
    pub(super) fn length(&self) -> io::Result<u64> {
        match &self.bytes {
            None => fs::metadata(&self.path).map(|metadata| metadata.len()),
            Some(bytes) => Ok(bytes.len() as u64),
        }
    }

    /// Fills `buffer` with the bytes from `start` on.
    pub(super) fn read_at(&self, start: u64, buffer: &mut [u8]) -> io::Result<()> {
        match &self.bytes {
            None => {
                let mut file = fs::File::open(&self.path)?;
                file.seek(SeekFrom::Start(start))?;
                file.read_exact(buffer)
            }
            Some(bytes) => {
                let mut bytes = Cursor::new(&bytes[..]);
                bytes.set_position(start);
                bytes.read_exact(buffer)
            }
        }
    }

    fn add_to(&self, hash: &mut Sha256) -> io::Result<()> {
        if let Some(bytes) = &self.bytes {
            hash.update(&bytes[..]);
            return Ok(());
        }
        let mut file = fs::File::open(&self.path)?;
        let mut buffer = vec![0; 1 << 16];
        loop {
            match file.read(&mut buffer)? {
                0 => return Ok(()),
                read => hash.update(&buffer[..read]),
            }
        }
    }
}

/// The SHA-256 of files, one after another, in hexadecimal.
pub(super) fn sha256_of(files: &[File]) -> Result<String, CheckpointError> {
    let mut hash = Sha256::new();
    for file in files {
        file.add_to(&mut hash).map_err(io_error(&file.path))?;
    }
    let digest = hash.finalize();
    Ok(digest.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The SHA-256 of the files at these paths, one after another, in hexadecimal: what
/// [`Model::sha256`](crate::Model::sha256) is of the files with weights.
///
/// # Errors
///
/// [`CheckpointError::Io`] if one of them cannot be read.
pub fn sha256(files: &[impl AsRef<Path>]) -> Result<String, CheckpointError> {
    let files = files.iter().map(|path| File::on_disk(path.as_ref()));
    sha256_of(&files.collect::<Vec<_>>())
}

pub(super) fn io_error(path: &Path) -> impl Fn(io::Error) -> CheckpointError {
    move |source| CheckpointError::Io {
        path: path.to_owned(),
        source,
    }
}
