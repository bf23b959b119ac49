//! What can be wrong with data.

use std::io;
use std::path::{Path, PathBuf};

use arrow_schema::{ArrowError, DataType};
use image::ImageError;

/// Why data cannot be read or written. A message names the file, the line where there is one, and what
/// is wrong; where only one thing can be done about it, it says that too.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// There is nothing at this path.
    #[error("{} does not exist; give {wanted}", path.display())]
    Missing {
        /// What was looked for.
        path: PathBuf,
        /// What is asked for instead.
        wanted: &'static str,
    },

    /// The system does not hand a file or folder out, or does not take it.
    #[error(
        "{} cannot be read or written: {error}; check the file, who may use it, and the space on the disk",
        path.display()
    )]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },

    /// The ending of the file's name is none that can be read.
    #[error(
        "{}: the ending of the name says no format that can be read; give {wanted}",
        path.display()
    )]
    UnsupportedExtension {
        /// The file.
        path: PathBuf,
        /// What is asked for instead.
        wanted: &'static str,
    },

    /// The bytes are not what the format says.
    #[error("{}: {}", path.display(), of_content(error))]
    Content {
        /// The file.
        path: PathBuf,
        /// What the library for the format said.
        error: ArrowError,
    },

    /// A column that is needed is not there.
    #[error("{}: no column {wanted}; the columns are {}", path.display(), list(found))]
    NoColumn {
        /// The file.
        path: PathBuf,
        /// The names that would do.
        wanted: String,
        /// The names that are there.
        found: Vec<String>,
    },

    /// The column of texts holds something else.
    #[error("{}: the column `{column}` holds {found}, not texts", path.display())]
    NotText {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// What it holds.
        found: DataType,
    },

    /// A line breaks the rules of its format.
    #[error("{}, line {line}: {problem}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: u64,
        /// What is wrong and what to do.
        problem: String,
    },

    /// A row has no text, or only white space.
    #[error("{}, line {line}: the row has no text; fill it in or delete the row", path.display())]
    NoText {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: u64,
    },

    /// A row has no label.
    #[error("{}, line {line}: the row has no label; fill it in or delete the row", path.display())]
    NoLabel {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: u64,
    },

    /// A row or a picture has a label that nothing in the training part has.
    #[error(
        "{place}: the training part has no label `{label}`, only {}; correct it or take it out",
        list(known)
    )]
    UnknownLabel {
        /// The file and the line, or the folder.
        place: String,
        /// The label.
        label: String,
        /// The labels of the training part.
        known: Vec<String>,
    },

    /// The file has no rows.
    #[error("{} has no rows; add some", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },

    /// There are too few examples to hold some out.
    #[error(
        "{} has {found} examples, too few to hold some out; {needed} are needed at least",
        path.display()
    )]
    TooFew {
        /// The file or folder.
        path: PathBuf,
        /// The examples that are there.
        found: usize,
        /// The examples that would do.
        needed: usize,
    },

    /// All training rows have the same label, so there is nothing to learn.
    #[error(
        "{}: every row has the label `{label}`; add rows with a second label",
        path.display()
    )]
    OneLabel {
        /// The file.
        path: PathBuf,
        /// The label that all rows have.
        label: String,
    },

    /// The folder has no pictures of two labels.
    #[error(
        "{}: give a folder with pictures for each of two labels at least",
        path.display()
    )]
    NoPictures {
        /// The folder.
        path: PathBuf,
    },

    /// A file in the format of MNIST is damaged.
    #[error("{}: {problem}; is the file complete?", path.display())]
    Idx {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },

    /// Bytes are no picture of a format that is read.
    #[error("it is no PNG, JPEG, GIF, WebP, BMP or TIFF picture that can be read: {0}")]
    NotAPicture(#[from] ImageError),

    /// A picture is too large for the memory that a picture may take.
    #[error("it is too large: at most 2^28 pixels are read, in at most 512 MB of memory")]
    PictureTooLarge,

    /// Something is wrong with what a file holds.
    #[error("{}: {error}", path.display())]
    In {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        error: Box<DataError>,
    },
}

impl DataError {
    /// What the system said about `path`.
    pub(crate) fn io(path: &Path) -> impl Fn(io::Error) -> Self {
        let path = path.to_owned();
        move |error| Self::Io {
            path: path.clone(),
            error,
        }
    }

    /// What the system said when `path` was to be opened, in place of `wanted`.
    pub(crate) fn opening(path: &Path, wanted: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |error| match error.kind() {
            io::ErrorKind::NotFound => Self::Missing {
                path: path.to_owned(),
                wanted,
            },
            _ => Self::io(path)(error),
        }
    }

    /// What a library said about the content of `path`.
    pub(crate) fn content<E: Into<ArrowError>>(path: &Path) -> impl FnOnce(E) -> Self {
        let path = path.to_owned();
        |error| match error.into() {
            ArrowError::IoError(_, error) => Self::Io { path, error },
            error => Self::Content { path, error },
        }
    }
}

/// What is wrong with a content, or that it is compressed in a way that is not read.
fn of_content(error: &ArrowError) -> String {
    let said = error.to_string();
    let other = ["brotli", "lzo"]
        .into_iter()
        .find(|codec| error_of_codec(&said).is_some_and(|said| said.contains(codec)));
    match other {
        Some(codec) => format!(
            "it is compressed by {codec}, which relprop does not read; write it with zstd, snappy, gzip or \
             lz4: in Python, pandas' to_parquet(path, compression=\"zstd\")"
        ),
        None => format!("{said}; is the file complete, and of the format that its name says?"),
    }
}

/// What the parquet crate said, in lower case, if it is about a codec that it does not have.
fn error_of_codec(said: &str) -> Option<String> {
    let signs = ["Disabled feature at compile time", "The codec type"];
    let about = signs.iter().any(|sign| said.contains(sign));
    about.then(|| said.to_lowercase())
}

fn list(names: &[String]) -> String {
    let names = names.iter().map(|name| format!("`{name}`"));
    names.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_codec_that_is_not_read_is_named_with_those_that_are() {
        for (said, codec) in [
            (
                "Parquet error: Disabled feature at compile time: brotli",
                "brotli",
            ),
            ("NYI: The codec type LZO is not supported yet", "lzo"),
        ] {
            let error = ArrowError::ParquetError(said.to_owned());
            let path = PathBuf::from("t.parquet");
            let told = DataError::Content { path, error }.to_string();
            let expected = format!("t.parquet: it is compressed by {codec}, ");
            assert!(
                told.starts_with(&expected) && told.contains("zstd"),
                "{told}"
            );
        }
        let error = ArrowError::ParquetError("EOF: eof".to_owned());
        let path = PathBuf::from("t.parquet");
        let told = DataError::Content { path, error }.to_string();
        assert!(
            told.ends_with("EOF: eof; is the file complete, and of the format that its name says?")
        );
    }
}
