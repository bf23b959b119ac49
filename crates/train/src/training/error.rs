//! What can go wrong in training.

use std::path::PathBuf;

use relprop_checkpoints::{CheckpointError, PictureError, TextError};

use crate::vocabulary::VocabularyError;

/// Why a model could not be trained.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// A setting is out of its range.
    #[error("the training's settings: {0}")]
    Config(String),
    /// The folder holds a model already.
    #[error(
        "{} holds a model already; give another --out, or remove that folder first", .0.display()
    )]
    ModelThere(PathBuf),
    /// The folder holds an interrupted training of something else.
    #[error(
        "{} holds an interrupted training with other settings or other data; \
         give the same ones to resume it, give another --out, or remove that folder first",
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
    /// The vocabulary cannot be learned.
    #[error(transparent)]
    Vocabulary(#[from] VocabularyError),
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
    /// Texts were given to a model that reads pictures, or to be trained over the embeddings of one.
    #[error("the model reads pictures, not texts")]
    ReadsPictures,
    /// The model cannot be written.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// Training was stopped from the dashboard.
    #[error("training was stopped; the same command resumes it after the last finished epoch")]
    Interrupted,
    /// Training failed.
    #[error(
        "training failed: {0}\nif the device is out of memory or lost, use a smaller `batch` or another \
         device; the same command resumes after the last finished epoch"
    )]
    Failed(String),
}
