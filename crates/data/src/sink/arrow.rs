//! Arrow's IPC format, as a file.

use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::path::Path;

use arrow_array::RecordBatch;
use arrow_ipc::reader::FileReader;
use arrow_ipc::writer::FileWriter;
use arrow_schema::ArrowError;

use super::at;
use crate::DataError;

/// A file with one batch.
///
/// # Errors
///
/// If the batch cannot be written.
pub fn encode(batch: &RecordBatch) -> Result<Vec<u8>, ArrowError> {
    let mut writer = FileWriter::try_new(Vec::new(), &batch.schema())?;
    writer.write(batch)?;
    writer.into_inner()
}

/// Writes the batches of `files`, which have the same columns, into `out`.
///
/// # Errors
///
/// If a file cannot be read, or `out` written.
pub fn join(files: &[impl AsRef<Path>], out: &File) -> Result<(), DataError> {
    let mut writer = None;
    for path in files {
        let path = path.as_ref();
        let file = File::open(path).map_err(DataError::io(path))?;
        let reader = FileReader::try_new(BufReader::new(file), None).map_err(at(path))?;
        if writer.is_none() {
            let out = BufWriter::new(out);
            writer = Some(FileWriter::try_new(out, &reader.schema()).map_err(at(path))?);
        }
        if let Some(writer) = &mut writer {
            for batch in reader {
                writer.write(&batch.map_err(at(path))?).map_err(at(path))?;
            }
        }
    }
    match writer {
        Some(mut writer) => writer.finish().map_err(at(Path::new("the joined file"))),
        None => Ok(()),
    }
}
