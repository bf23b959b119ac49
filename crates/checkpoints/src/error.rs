//! What can be wrong with a model's files.

use std::path::PathBuf;

use relprop_transformer::ConfigError;

/// Why a model's files cannot be read or written.
///
/// A file in memory is named by its name, a file of a folder by its path.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The folder is not there.
    #[error("there is no model folder {}", .0.display())]
    NoFolder(PathBuf),
    /// The model is in the format of another program: a GGUF file, an adapter, weights of
    /// TensorFlow alone.
    #[error("{}: {message}", path.display())]
    Foreign {
        /// The file that shows it.
        path: PathBuf,
        /// What it is, and what to do.
        message: &'static str,
    },
    /// A file of the folder is not there.
    #[error("the model folder has no {file}: {} is missing ({purpose})", path.display())]
    NoFile {
        /// The file's name.
        file: String,
        /// Where it was looked for.
        path: PathBuf,
        /// What it is needed for.
        purpose: &'static str,
    },
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// `config.json` is not understood.
    #[error("{}: {message}", path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// What is wrong in it.
        message: String,
    },
    /// The configuration does not describe a model.
    #[error("{}: {source}", path.display())]
    InvalidConfig {
        /// The file.
        path: PathBuf,
        /// Which field is out of its range.
        source: ConfigError,
    },
    /// The model has two towers, and one was asked for.
    #[error(
        "{}: the model has two towers, one for pictures and one for texts, and cannot be read as one", path.display()
    )]
    TwoTowers {
        /// The file that says so.
        path: PathBuf,
    },
    /// The model is not one of two towers.
    #[error("{}: the model compares no pictures with texts: it has no two towers", path.display())]
    OneTower {
        /// The file that says what it is.
        path: PathBuf,
    },
    /// `tokenizer.json`, or `vocab.txt`, is not understood.
    #[error("{}: {message}", path.display())]
    Tokenizer {
        /// The file.
        path: PathBuf,
        /// What the tokenizer library said.
        message: String,
    },
    /// `preprocessor_config.json` is not understood, or does not fit the model.
    #[error("{}: {message}", path.display())]
    Preprocessor {
        /// The file.
        path: PathBuf,
        /// What is wrong in it.
        message: String,
    },
    /// The tokenizer makes tokens that the model has no embedding for.
    #[error(
        "{}: the tokenizer has {tokens} tokens, but the model's vocabulary has only {vocabulary}; \
         the two do not belong together", path.display()
    )]
    Vocabulary {
        /// The tokenizer's file.
        path: PathBuf,
        /// How many tokens the tokenizer has.
        tokens: usize,
        /// How many the model has.
        vocabulary: usize,
    },
    /// The weights' file is damaged.
    #[error("{} cannot be read as {format}: {message}; is the file complete?", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What it should be.
        format: &'static str,
        /// What is wrong with it.
        message: String,
    },
    /// An adapter is not understood, or its base is not there.
    #[error("{}: {message}", path.display())]
    Adapter {
        /// The file of the adapter.
        path: PathBuf,
        /// What is wrong, and the way out.
        message: String,
    },
    /// The weights are a pickle that is more than tensors.
    #[error(
        "{}: {message}; in Python, AutoModelForSequenceClassification.from_pretrained(folder)\
         .save_pretrained(folder) writes model.safetensors, if its author is to be trusted",
        path.display()
    )]
    Pickle {
        /// The file.
        path: PathBuf,
        /// What else is in it.
        message: String,
    },
    /// A weight is no finite number, which no computation comes back from.
    #[error(
        "{}: {tensor} has {number} among its numbers; the weights are damaged, or the training that \
         made them failed", path.display()
    )]
    NotFinite {
        /// The file of the weights, or their index.
        path: PathBuf,
        /// The tensor's name in the file.
        tensor: String,
        /// `NaN` or `infinity`.
        number: &'static str,
    },
    /// The index of weights in several files is not understood.
    #[error("{}: {message}", path.display())]
    Index {
        /// The file.
        path: PathBuf,
        /// What is wrong in it.
        message: String,
    },
    /// Tensors of the weights' file do not fit the model that `config.json` describes.
    #[error("{} does not fit config.json:\n  {}", path.display(), problems.join("\n  "))]
    Tensors {
        /// The file.
        path: PathBuf,
        /// One line for each tensor.
        problems: Vec<String>,
    },
}
