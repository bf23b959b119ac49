//! Files from batches, and one file from several.

pub mod arrow;
pub mod csv;
mod empty_objects;
pub mod parquet;

use std::fs::File;
use std::io::{self, Seek, SeekFrom};
use std::path::Path;

use arrow_schema::ArrowError;

use crate::DataError;

/// Writes files one after another into `out`. All but the first are written without their first
/// `head` bytes.
///
/// # Errors
///
/// If a file cannot be read, or `out` written.
pub fn concatenate(files: &[impl AsRef<Path>], head: u64, out: &File) -> io::Result<()> {
    for (index, path) in files.iter().enumerate() {
        let mut file = File::open(path)?;
        if index > 0 {
            file.seek(SeekFrom::Start(head))?;
        }
        io::copy(&mut file, &mut &*out)?;
    }
    Ok(())
}

/// The error for a fault in the file at `path`.
fn at<E: Into<ArrowError>>(path: &Path) -> impl FnOnce(E) -> DataError {
    DataError::content(path)
}
