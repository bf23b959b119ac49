//! What can be wrong with a corpus, and the way out.

use std::io;
use std::path::PathBuf;

/// Why a file or folder of texts could not be read. Every message names the file, the line where
/// there is one, and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CorpusError {
    /// There is nothing at this path.
    #[error("{} does not exist; give {wanted}", path.display())]
    Missing {
        /// What was looked for.
        path: PathBuf,
        /// What would do.
        wanted: &'static str,
    },

    /// The file is there but the system does not hand it out.
    #[error("{} cannot be read: {source}; check the file and who may read it", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },

    /// The ending of the file's name is none that can be read.
    #[error(
        "{}: the ending of the name says no format that can be read; give {wanted}",
        path.display()
    )]
    UnsupportedExtension {
        /// The file.
        path: PathBuf,
        /// What would do.
        wanted: &'static str,
    },

    /// The first line does not name a column that is needed.
    #[error(
        "{}, line 1: no column {wanted}; the first line names {}; name the column there",
        path.display(),
        list(found)
    )]
    MissingColumn {
        /// The file.
        path: PathBuf,
        /// The names that would do.
        wanted: &'static str,
        /// The names that are there.
        found: Vec<String>,
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

    /// A row of the dev or test file has a label that no training row has.
    #[error(
        "{}, line {line}: the training rows have no label `{label}`, only {}; \
         correct the label or delete the row",
        path.display(),
        list(known)
    )]
    UnknownLabel {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: u64,
        /// The label of the row.
        label: String,
        /// The labels of the training rows.
        known: Vec<String>,
    },

    /// A row breaks the rules of its format.
    #[error("{}, line {line}: {problem}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: u64,
        /// What is wrong and what to do.
        problem: String,
    },

    /// A row is not UTF-8.
    #[error("{}, line {line}: not UTF-8; save the file as UTF-8", path.display())]
    NotUtf8 {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: u64,
    },

    /// The file has no rows.
    #[error("{} has no rows; add some", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },

    /// The file has too few rows to hold some out.
    #[error(
        "{} has {rows} rows, too few to hold some out; {needed} are needed at least",
        path.display()
    )]
    TooFewRows {
        /// The file.
        path: PathBuf,
        /// The rows that are there.
        rows: usize,
        /// The rows that would do.
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
}

fn list(names: &[String]) -> String {
    names
        .iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ")
}
