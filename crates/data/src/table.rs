//! A file of rows, which is scanned once before it is read.

use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, RecordBatch, StringArray};
use arrow_ipc::reader::{FileReader, StreamReader};
use arrow_schema::{ArrowError, DataType, Field, Fields, Schema, SchemaRef};
use arrow_select::take::take;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Map, Value};

use crate::records::{
    BadRecord, Lines, Record, RecordError, Separated, json_objects, open, texts_at,
};
use crate::shape::{Columns, fits};
use crate::source::{BatchSource, Source, TextSource, schema_of_texts};
use crate::{DataError, TableFormat};

/// The names that a column of texts has unless another is named.
const TEXT: [&str; 2] = ["text", "sentence"];
/// What errors ask for instead of a path that cannot be read.
const TABLE: &str = "a .txt, .tsv, .csv, .jsonl, .parquet or .arrow file";
/// The first bytes of a file in Arrow's IPC format; a stream does not have them.
const ARROW_FILE: &[u8] = b"ARROW1";
/// How many rows of a Parquet file are decoded at a time.
const DECODED: usize = 1024;

/// A table in a file: its columns, and how many rows it has.
#[derive(Clone, Debug)]
pub struct Table {
    path: PathBuf,
    format: TableFormat,
    schema: SchemaRef,
    column: usize,
    rows: u64,
}

impl Table {
    /// Scans a file: counts its rows, and finds its columns if only the rows show them.
    ///
    /// `column` names the column of texts; without it, it is `text` or `sentence`.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, is of no known format, or has no column of texts.
    pub fn open(path: &Path, column: Option<&str>) -> Result<Self, DataError> {
        let format =
            TableFormat::from_path(path).ok_or_else(|| DataError::UnsupportedExtension {
                path: path.to_owned(),
                wanted: TABLE,
            })?;
        let file = open(path, TABLE)?;
        let count = |records: &mut dyn Iterator<Item = Result<(), RecordError>>| {
            let mut rows = 0;
            for record in records {
                if let Err(error @ RecordError::Unreadable(_)) = record {
                    return Err(error.at(path));
                }
                rows += 1;
            }
            Ok(rows)
        };
        let (schema, rows) = match format {
            TableFormat::Lines => {
                let mut lines = Lines::new(BufReader::new(file));
                (
                    schema_of_texts(),
                    count(&mut lines.by_ref().map(drop_fields))?,
                )
            }
            TableFormat::Tsv | TableFormat::Csv => {
                let mut records = Separated::new(file, format, path)?;
                let schema = schema_of_names(records.names(), path)?;
                (schema, count(&mut records.by_ref().map(drop_fields))?)
            }
            TableFormat::JsonLines => {
                let mut rows = 0;
                let mut columns = Columns::default();
                for record in
                    json_objects(Lines::new(BufReader::new(file)), texts_in(names(column)))
                {
                    rows += 1;
                    match record {
                        Ok(record) => columns.see(&record.fields),
                        Err(RecordError::Bad(_)) => {}
                        Err(error) => return Err(error.at(path)),
                    }
                }
                let schema = columns.schema();
                if schema.fields().is_empty() {
                    let name = column.unwrap_or(TEXT[0]);
                    let field = Field::new(name, DataType::Utf8, true);
                    (Arc::new(Schema::new(vec![field])), rows)
                } else {
                    (Arc::new(schema), rows)
                }
            }
            TableFormat::Parquet => {
                let builder = parquet(file, path)?;
                let rows = builder.metadata().file_metadata().num_rows();
                (builder.schema().clone(), rows.unsigned_abs())
            }
            TableFormat::Arrow => {
                let (schema, batches) = arrow(file, path)?;
                let mut rows = 0;
                for batch in batches {
                    rows += batch.map_err(DataError::content(path))?.num_rows() as u64;
                }
                (schema, rows)
            }
        };
        Ok(Self {
            path: path.to_owned(),
            format,
            column: text_column(&schema, column, path)?,
            schema,
            rows,
        })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The index of the column of texts.
    pub fn column(&self) -> usize {
        self.column
    }

    /// How many rows it has, bad ones included.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// The rows from number `first` on, counted from 0.
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    pub fn read(&self, first: u64) -> Result<Box<dyn Source>, DataError> {
        let (path, file) = (&self.path, open(&self.path, TABLE)?);
        let schema = self.schema.clone();
        let mut source: Box<dyn Source> = match self.format {
            TableFormat::Lines => {
                let lines = Lines::new(BufReader::new(file));
                Box::new(TextSource::new(lines, schema, path))
            }
            TableFormat::Tsv | TableFormat::Csv => {
                let records = Separated::new(file, self.format, path)?;
                Box::new(TextSource::new(records, schema, path))
            }
            TableFormat::JsonLines => {
                let name = vec![schema.field(self.column).name().clone()];
                let records = json_objects(Lines::new(BufReader::new(file)), texts_in(name));
                let fields = schema.fields().clone();
                let records = records.map(move |record| fitting(&fields, record?));
                Box::new(TextSource::new(records, schema, path))
            }
            TableFormat::Parquet => {
                let builder = parquet(file, path)?.with_batch_size(DECODED);
                // Whole row groups and pages before it are not even decoded.
                let offset = usize::try_from(first).unwrap_or(usize::MAX);
                let batches = builder.with_offset(offset).build();
                let batches = batches.map_err(DataError::content(path))?;
                return Ok(Box::new(BatchSource::new(batches, &schema, path, first)));
            }
            TableFormat::Arrow => {
                let (_, batches) = arrow(file, path)?;
                Box::new(BatchSource::new(batches, &schema, path, 0))
            }
        };
        source.skip(first)?;
        Ok(source)
    }
}

/// The index of the column of texts: the one called `column`, or `text` or `sentence`.
///
/// # Errors
///
/// If there is none, or it holds no texts. `path` is the name of the file in errors.
pub fn text_column(schema: &Schema, column: Option<&str>, path: &Path) -> Result<usize, DataError> {
    let names = names(column);
    let Some(index) = names.iter().find_map(|name| schema.index_of(name).ok()) else {
        let quoted: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
        return Err(DataError::NoColumn {
            path: path.to_owned(),
            wanted: quoted.join(" or "),
            found: schema
                .fields()
                .iter()
                .map(|field| field.name().clone())
                .collect(),
        });
    };
    let field = schema.field(index);
    let kind = match field.data_type() {
        DataType::Dictionary(_, values) => values.as_ref(),
        kind => kind,
    };
    match kind {
        // A column that holds nothing at all has no type.
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Null => Ok(index),
        found => Err(DataError::NotText {
            path: path.to_owned(),
            column: field.name().clone(),
            found: found.clone(),
        }),
    }
}

/// The texts of a column, null where there is none.
///
/// # Errors
///
/// If the column holds no texts; see [`text_column`].
pub fn texts(batch: &RecordBatch, column: usize) -> Result<StringArray, ArrowError> {
    let column = values(batch.column(column))?;
    Ok(match column.data_type() {
        DataType::LargeUtf8 => column.as_string::<i64>().iter().collect(),
        DataType::Utf8View => column.as_string_view().iter().collect(),
        DataType::Null => StringArray::new_null(column.len()),
        DataType::Utf8 => column.as_string().clone(),
        found => return Err(ArrowError::CastError(format!("no texts, but {found}"))),
    })
}

/// A column with its values in place of categories.
pub(crate) fn values(column: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    match column.as_any_dictionary_opt() {
        Some(categories) => take(categories.values(), categories.keys(), None),
        None => Ok(column.clone()),
    }
}

fn names(column: Option<&str>) -> Vec<String> {
    match column {
        Some(name) => vec![name.to_owned()],
        None => TEXT.map(str::to_owned).to_vec(),
    }
}

fn drop_fields<T>(record: Result<T, RecordError>) -> Result<(), RecordError> {
    record.map(drop)
}

/// Checks that a row has texts under these names.
fn texts_in(names: Vec<String>) -> impl Fn(&Map<String, Value>) -> Result<(), String> {
    move |object| texts_at(&names, object)
}

/// A row whose values are of the kinds of their columns, or a bad one.
fn fitting(
    fields: &Fields,
    record: Record<Map<String, Value>>,
) -> Result<Record<Map<String, Value>>, RecordError> {
    fits(fields, &record.fields).map_err(|problem| {
        RecordError::Bad(BadRecord {
            line: record.line,
            problem,
            raw: record.fields.clone().into(),
        })
    })?;
    Ok(record)
}

/// Columns of texts with these names, which must differ.
fn schema_of_names(names: &[String], path: &Path) -> Result<SchemaRef, DataError> {
    let problem = if names.is_empty() {
        "the file is empty; its first line must name the columns".to_owned()
    } else {
        let repeated = |(index, name): &(usize, &String)| names[..*index].contains(name);
        let Some((_, name)) = names.iter().enumerate().find(repeated) else {
            let fields = names
                .iter()
                .map(|name| Field::new(name, DataType::Utf8, true));
            return Ok(Arc::new(Schema::new(fields.collect::<Vec<_>>())));
        };
        format!("two columns are called `{name}`; rename one")
    };
    Err(DataError::Malformed {
        path: path.to_owned(),
        line: 1,
        problem,
    })
}

fn parquet(file: File, path: &Path) -> Result<ParquetRecordBatchReaderBuilder<File>, DataError> {
    ParquetRecordBatchReaderBuilder::try_new(file).map_err(DataError::content(path))
}

type Batches = Box<dyn Iterator<Item = Result<RecordBatch, ArrowError>>>;

/// The schema and the batches of a file in Arrow's IPC format, which may be a file or a stream.
fn arrow(file: File, path: &Path) -> Result<(SchemaRef, Batches), DataError> {
    let mut file = BufReader::new(file);
    let mut start = Vec::new();
    let mut prefix = file.by_ref().take(ARROW_FILE.len() as u64);
    let read = prefix.read_to_end(&mut start);
    read.map_err(DataError::io(path))?;
    file.rewind().map_err(DataError::io(path))?;
    if start == ARROW_FILE {
        let reader = FileReader::try_new(file, None).map_err(DataError::content(path))?;
        Ok((reader.schema(), Box::new(reader)))
    } else {
        let reader = StreamReader::try_new(file, None).map_err(DataError::content(path))?;
        Ok((reader.schema(), Box::new(reader)))
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::types::{Int8Type, UInt32Type};
    use arrow_array::{DictionaryArray, Int64Array, LargeStringArray, NullArray, StringViewArray};
    use rstest::rstest;

    use super::*;

    const TEXTS: [Option<&str>; 3] = [Some("é"), None, Some("")];

    fn found(column: impl Array + 'static) -> Result<StringArray, ArrowError> {
        let column: ArrayRef = Arc::new(column);
        let batch = RecordBatch::try_from_iter([("text", column)])?;
        texts(&batch, 0)
    }

    #[rstest]
    #[case::texts(StringArray::from_iter(TEXTS))]
    #[case::long_texts(LargeStringArray::from_iter(TEXTS))]
    #[case::views(StringViewArray::from_iter(TEXTS))]
    #[case::categories(DictionaryArray::<Int8Type>::from_iter(TEXTS))]
    #[case::many_categories(DictionaryArray::<UInt32Type>::from_iter(TEXTS))]
    fn texts_of_any_kind_are_read(#[case] column: impl Array + 'static) {
        assert_eq!(found(column).unwrap(), StringArray::from_iter(TEXTS));
    }

    #[test]
    fn a_column_without_a_type_has_no_texts() {
        assert_eq!(found(NullArray::new(2)).unwrap(), StringArray::new_null(2));
    }

    #[test]
    fn numbers_are_no_texts() {
        let error = found(Int64Array::from(vec![1])).unwrap_err();
        assert!(error.to_string().contains("no texts, but Int64"), "{error}");
    }
}
