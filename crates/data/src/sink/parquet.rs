//! Parquet.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::ArrowError;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::ParquetError;
use parquet::file::metadata::{KeyValue, PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;

use super::{at, empty_objects};
use crate::DataError;

/// A file with one row group, or none if the batch is empty. The schema's metadata becomes the
/// file's. An object without fields becomes the text `{}`, since Parquet has none.
///
/// # Errors
///
/// If a column's type has no form in Parquet.
pub fn encode(batch: &RecordBatch) -> Result<Vec<u8>, ArrowError> {
    let batch = &empty_objects::as_texts(batch)?;
    let schema = batch.schema();
    let metadata = schema.metadata().iter();
    let metadata = metadata.map(|(key, value)| KeyValue::new(key.clone(), value.clone()));
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_key_value_metadata(Some(metadata.collect()))
        .build();
    let mut writer = ArrowWriter::try_new(Vec::new(), schema, Some(properties))?;
    writer.write(batch)?;
    Ok(writer.into_inner()?)
}

/// Copies the row groups of `files`, which have the same columns, into `out`, as they are.
///
/// # Errors
///
/// If a file cannot be read, or `out` written.
pub fn join(files: &[impl AsRef<Path>], out: &File) -> Result<(), DataError> {
    let mut writer = None;
    for path in files {
        let path = path.as_ref();
        let file = File::open(path).map_err(DataError::io(path))?;
        let metadata = ParquetMetaDataReader::new()
            .with_page_index_policy(PageIndexPolicy::Optional)
            .parse_and_finish(&file)
            .map_err(at(path))?;
        if writer.is_none() {
            writer = Some(start(&metadata, out).map_err(at(path))?);
        }
        if let Some(writer) = &mut writer {
            append(&metadata, &file, writer).map_err(at(path))?;
        }
    }
    match writer {
        Some(writer) => writer
            .close()
            .map(drop)
            .map_err(at(Path::new("the joined file"))),
        None => Ok(()),
    }
}

/// A file with the columns and the metadata of another.
fn start<'a>(
    like: &ParquetMetaData,
    out: &'a File,
) -> Result<SerializedFileWriter<&'a File>, ParquetError> {
    let file = like.file_metadata();
    let properties = WriterProperties::builder()
        .set_key_value_metadata(file.key_value_metadata().cloned())
        .build();
    SerializedFileWriter::new(
        out,
        file.schema_descr().root_schema_ptr(),
        Arc::new(properties),
    )
}

/// Copies all row groups of `file`.
fn append(
    metadata: &ParquetMetaData,
    file: &File,
    writer: &mut SerializedFileWriter<&File>,
) -> Result<(), ParquetError> {
    let pages = metadata.page_index();
    for (group, row_group) in metadata.row_groups().iter().enumerate() {
        let mut copy = writer.next_row_group()?;
        for (index, column) in row_group.columns().iter().enumerate() {
            let close = ColumnCloseResult {
                bytes_written: column.compressed_size().unsigned_abs(),
                rows_written: row_group.num_rows().unsigned_abs(),
                metadata: column.clone(),
                bloom_filter: None,
                column_index: pages
                    .and_then(|pages| pages.column_index(group, index))
                    .cloned(),
                offset_index: pages
                    .and_then(|pages| pages.offset_index(group, index))
                    .cloned(),
            };
            copy.append_column(file, close)?;
        }
        copy.close()?;
    }
    Ok(())
}
