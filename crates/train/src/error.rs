//! What can go wrong in training.

use std::path::PathBuf;

use relprop_checkpoints::{CheckpointError, PictureError, TextError};
use relprop_data::DataError;
use relprop_transformer::ConfigError;

/// Why a model could not be trained.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// The settings are not written as they should be.
    #[error("{0}")]
    Settings(String),
    /// A setting is out of its range.
    #[error("`{field}` is {value}: it must be {range}")]
    Setting {
        /// The setting.
        field: &'static str,
        /// Its value.
        value: f64,
        /// What it may be.
        range: String,
    },
    /// A setting is given that does not apply to the task.
    #[error("`{field}` is for `task = \"classify\"`: leave it out")]
    NotForTask {
        /// The setting.
        field: &'static str,
    },
    /// Pictures were given for the task of next tokens.
    #[error("pictures have labels to learn, and no next token: leave `task` out")]
    NoNextToken,
    /// The settings do not describe a model.
    #[error(transparent)]
    Model(#[from] ConfigError),
    /// The model whose embeddings are taken over is of another width.
    #[error(
        "the embeddings of {} have {found} features, and `width` is {width}: set `width = {found}`",
        path.display()
    )]
    OtherWidth {
        /// The model's folder.
        path: PathBuf,
        /// How many features its embeddings have.
        found: usize,
        /// The setting.
        width: usize,
    },
    /// The folder holds a model already.
    #[error(
        "{} holds a model already; train into another folder, or remove that one first", .0.display()
    )]
    ModelThere(PathBuf),
    /// The folder holds an interrupted training of something else.
    #[error(
        "{} holds an interrupted training with other settings or other data; give the same ones to \
         go on with it, train into another folder, or remove that one first",
        .0.display()
    )]
    OtherTraining(PathBuf),
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A file cannot be written.
    #[error(transparent)]
    Data(#[from] DataError),
    /// There is no word in the texts.
    #[error("the texts have no words to learn a vocabulary from; give texts with words in them")]
    NoWords,
    /// The characters of the texts alone need more tokens than asked for.
    #[error(
        "a vocabulary of {size} tokens is too small: the characters of the texts alone need \
         {needed}; ask for more"
    )]
    SmallVocabulary {
        /// The size that was asked for.
        size: usize,
        /// The smallest size that is enough.
        needed: usize,
    },
    /// The tokenizers library refused to learn a vocabulary.
    #[error("the vocabulary could not be learned: {0}")]
    Vocabulary(#[from] tokenizers::Error),
    /// A text cannot be given to the model.
    #[error("the text \"{text}\": {source}")]
    Text {
        /// The text.
        text: String,
        /// What is wrong with it.
        source: TextError,
    },
    /// A picture cannot be given to the model.
    #[error("picture {number} of {part}: {source}")]
    Picture {
        /// Which picture, counted from 1.
        number: usize,
        /// In which part.
        part: &'static str,
        /// What is wrong with it.
        source: PictureError,
    },
    /// The model has no accuracy.
    #[error("only a model that classifies texts, or that continues them, has an accuracy")]
    NoAccuracy,
    /// Texts were given to a model that reads pictures, or to be trained over the embeddings of one.
    #[error("the model reads pictures, not texts")]
    ReadsPictures,
    /// The model cannot be written.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// Training failed.
    #[error(
        "training failed: {0}\nif the device is out of memory or lost, use a smaller `batch` or another \
         device; the same training goes on after the last finished epoch"
    )]
    Failed(String),
}
