//! CSV. Lists and structures are written as JSON, and null as an empty field.

use std::io::{self, Read};

use arrow_array::{Array, RecordBatch};
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use arrow_json::writer::{EncoderOptions, make_encoder};
use arrow_schema::{ArrowError, FieldRef};

use crate::zones::in_utc;

/// How many bytes of `file` are the line that names the columns.
///
/// # Errors
///
/// If `file` cannot be read.
pub fn head(file: impl Read) -> io::Result<u64> {
    let mut reader = csv::Reader::from_reader(file);
    reader.byte_headers()?;
    Ok(reader.position().byte())
}

/// A file of the batch: its head, then a line for each row. Times are written in UTC, or with the
/// offset that their zone is.
///
/// # Errors
///
/// If a column's type can be written as neither text nor JSON.
pub fn encode(batch: &RecordBatch) -> Result<Vec<u8>, ArrowError> {
    let batch = in_utc(batch)?;
    let mut columns = Vec::new();
    for (column, field) in batch.columns().iter().zip(batch.schema().fields()) {
        columns.push(cells(field, column)?);
    }
    let mut writer = csv::Writer::from_writer(Vec::new());
    let schema = batch.schema();
    writer
        .write_record(schema.fields().iter().map(|field| field.name()))
        .map_err(failed)?;
    for row in 0..batch.num_rows() {
        writer
            .write_record(columns.iter().map(|cells| &cells[row]))
            .map_err(failed)?;
    }
    writer.into_inner().map_err(failed)
}

/// A text for each value of a column.
fn cells(field: &FieldRef, column: &dyn Array) -> Result<Vec<String>, ArrowError> {
    if !field.data_type().is_nested() {
        let options = FormatOptions::default();
        let format = ArrayFormatter::try_new(column, &options)?;
        let cells = (0..column.len()).map(|row| format.value(row).try_to_string());
        return cells.collect();
    }
    let options = EncoderOptions::default().with_explicit_nulls(true);
    let mut encoder = make_encoder(field, column, &options)?;
    let cell = |row| {
        let mut cell = Vec::new();
        if !encoder.is_null(row) {
            encoder.encode(row, &mut cell);
        }
        String::from_utf8(cell).map_err(failed)
    };
    (0..column.len()).map(cell).collect()
}

fn failed(error: impl std::fmt::Display) -> ArrowError {
    ArrowError::CsvError(error.to_string())
}
