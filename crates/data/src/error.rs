//! What can be wrong with a table, and the way out.

use std::io;
use std::path::{Path, PathBuf};

use arrow_schema::{ArrowError, DataType};

/// Why a table cannot be read or written. Every message names the file and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TableError {
    /// The system does not hand the file out, or does not take it.
    #[error("{}: {error}; check the file, who may use it, and the space on the disk", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },

    /// The ending of the file's name is none that can be read.
    #[error(
        "{}: the ending of the name says no format that can be read; give a .txt, .tsv, .csv, \
         .jsonl, .parquet or .arrow file",
        path.display()
    )]
    UnsupportedExtension {
        /// The file.
        path: PathBuf,
    },

    /// No column holds the texts.
    #[error(
        "{}: no column {wanted}; the columns are {}; name the one with the texts (--column)",
        path.display(),
        list(found)
    )]
    NoTextColumn {
        /// The file.
        path: PathBuf,
        /// The names that would do.
        wanted: String,
        /// The names that are there.
        found: Vec<String>,
    },

    /// The column of texts holds something else.
    #[error(
        "{}: the column `{column}` holds {found}, not texts; name another (--column)",
        path.display()
    )]
    NotText {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// What it holds.
        found: DataType,
    },

    /// The first line, which names the columns, cannot be used.
    #[error("{}, line 1: {problem}", path.display())]
    Header {
        /// The file.
        path: PathBuf,
        /// What is wrong and what to do.
        problem: String,
    },

    /// The bytes are not what the format says.
    #[error("{}: {error}; is the file complete, and of the format that its name says?", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What the library for the format said.
        error: ArrowError,
    },
}

impl TableError {
    /// What the system said about `path`.
    pub(crate) fn file(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        |error| Self::File { path, error }
    }

    /// What a library said about the content of `path`.
    pub(crate) fn content<E: Into<ArrowError>>(path: &Path) -> impl FnOnce(E) -> Self {
        let path = path.to_owned();
        |error| match error.into() {
            ArrowError::IoError(_, error) => Self::File { path, error },
            error => Self::Content { path, error },
        }
    }
}

fn list(names: &[String]) -> String {
    let names = names.iter().map(|name| format!("`{name}`"));
    names.collect::<Vec<_>>().join(", ")
}
