//! Rows of text files.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, StringArray};
use arrow_json::ReaderBuilder;
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};
use csv::StringRecord;
use serde_json::{Map, Value};

use super::{BadRow, Place, Rows, Source};
use crate::DataError;
use crate::records::{BadRecord, Record, RecordError};

/// A record that becomes a row.
pub(crate) trait Row: Sized {
    /// The columns of some rows.
    fn batch(schema: &SchemaRef, rows: &[Self]) -> Result<RecordBatch, ArrowError>;

    /// The row as one value.
    fn value(&self) -> Value;
}

/// A row of one column.
impl Row for String {
    fn batch(schema: &SchemaRef, rows: &[Self]) -> Result<RecordBatch, ArrowError> {
        let column: ArrayRef = Arc::new(StringArray::from_iter_values(rows));
        RecordBatch::try_new(schema.clone(), vec![column])
    }

    fn value(&self) -> Value {
        self.clone().into()
    }
}

/// A row of texts. Fields that are missing at its end are null.
impl Row for StringRecord {
    fn batch(schema: &SchemaRef, rows: &[Self]) -> Result<RecordBatch, ArrowError> {
        let column = |index| -> ArrayRef {
            Arc::new(
                rows.iter()
                    .map(|row| row.get(index))
                    .collect::<StringArray>(),
            )
        };
        let columns = (0..schema.fields().len()).map(column).collect();
        RecordBatch::try_new(schema.clone(), columns)
    }

    fn value(&self) -> Value {
        self.iter().collect()
    }
}

/// A row of whatever JSON can hold.
impl Row for Map<String, Value> {
    fn batch(schema: &SchemaRef, rows: &[Self]) -> Result<RecordBatch, ArrowError> {
        let builder = ReaderBuilder::new(schema.clone())
            .with_batch_size(rows.len().max(1))
            // A column that mixes numbers and texts becomes a column of texts.
            .with_coerce_primitive(true);
        let mut decoder = builder.build_decoder()?;
        decoder.serialize(rows)?;
        let batch = decoder.flush()?;
        Ok(batch.unwrap_or_else(|| RecordBatch::new_empty(schema.clone())))
    }

    fn value(&self) -> Value {
        Value::Object(self.clone())
    }
}

/// Rows made of the records of a text file.
pub(crate) struct TextSource<I> {
    records: I,
    schema: SchemaRef,
    path: PathBuf,
    /// How many rows have been read.
    row: u64,
}

impl<I> TextSource<I> {
    /// Rows with the columns of `schema`. `path` is the name of the file in errors.
    pub(crate) fn new(records: I, schema: SchemaRef, path: &Path) -> Self {
        let path = path.to_owned();
        Self {
            records,
            schema,
            path,
            row: 0,
        }
    }
}

impl<T: Row, I: Iterator<Item = Result<Record<T>, RecordError>>> Source for TextSource<I> {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn read(&mut self, rows: usize) -> Result<Option<Rows>, DataError> {
        let (mut good, mut places, mut bad) = (Vec::new(), Vec::new(), Vec::new());
        for record in self.records.by_ref().take(rows) {
            self.row += 1;
            let place = |line| Place {
                row: self.row,
                line: Some(line),
            };
            match record {
                Ok(Record { line, fields }) => {
                    good.push(fields);
                    places.push(place(line));
                }
                Err(RecordError::Bad(BadRecord { line, problem, raw })) => bad.push(BadRow {
                    place: place(line),
                    reason: problem,
                    input: raw,
                }),
                Err(error) => return Err(error.at(&self.path)),
            }
        }
        if good.is_empty() && bad.is_empty() {
            return Ok(None);
        }
        let batch = match T::batch(&self.schema, &good) {
            Ok(batch) => batch,
            // Some row does not fit the columns. Trying each row alone finds it.
            Err(_) => {
                let rows = std::mem::take(&mut good)
                    .into_iter()
                    .zip(std::mem::take(&mut places));
                for (row, place) in rows {
                    match T::batch(&self.schema, std::slice::from_ref(&row)) {
                        Ok(_) => {
                            good.push(row);
                            places.push(place);
                        }
                        Err(error) => bad.push(BadRow {
                            place,
                            reason: error.to_string(),
                            input: row.value(),
                        }),
                    }
                }
                bad.sort_by_key(|row| row.place);
                T::batch(&self.schema, &good).map_err(DataError::content(&self.path))?
            }
        };
        Ok(Some(Rows { batch, places, bad }))
    }

    fn skip(&mut self, rows: u64) -> Result<(), DataError> {
        for _ in 0..rows {
            match self.records.next() {
                Some(Err(error @ RecordError::Unreadable(_))) => return Err(error.at(&self.path)),
                Some(_) => self.row += 1,
                None => break,
            }
        }
        Ok(())
    }
}

/// The one column of a file of lines.
pub(crate) fn schema_of_texts() -> SchemaRef {
    Arc::new(Schema::new(vec![Field::new("text", DataType::Utf8, false)]))
}
