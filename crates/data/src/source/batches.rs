//! Rows of files that hold Arrow batches of their own sizes.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};
use arrow_select::concat::concat_batches;

use super::{Place, Rows, Source};
use crate::DataError;
use crate::table::values;

/// Rows cut from batches in groups of another size. Categories become their values, because each
/// batch may have its own categories.
pub(crate) struct BatchSource<I> {
    batches: I,
    /// What is left of the last batch.
    rest: Option<RecordBatch>,
    schema: SchemaRef,
    path: PathBuf,
    /// How many rows have been read.
    row: u64,
}

impl<I: Iterator<Item = Result<RecordBatch, ArrowError>>> BatchSource<I> {
    /// Rows of `batches`, which have `schema`, after `row` rows that were skipped already.
    pub(crate) fn new(batches: I, schema: &Schema, path: &Path, row: u64) -> Self {
        Self {
            batches,
            rest: None,
            schema: plain(schema),
            path: path.to_owned(),
            row,
        }
    }

    /// At most `rows` rows of one batch. None at the end.
    fn slice(&mut self, rows: usize) -> Result<Option<RecordBatch>, DataError> {
        let batch = match self.rest.take() {
            Some(batch) => batch,
            None => match self.batches.next() {
                Some(batch) => batch.map_err(DataError::content(&self.path))?,
                None => return Ok(None),
            },
        };
        let taken = rows.min(batch.num_rows());
        if taken < batch.num_rows() {
            self.rest = Some(batch.slice(taken, batch.num_rows() - taken));
        }
        self.row += taken as u64;
        Ok(Some(batch.slice(0, taken)))
    }

    fn plain(&self, batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
        let columns = batch.columns().iter().map(values);
        RecordBatch::try_new(self.schema.clone(), columns.collect::<Result<_, _>>()?)
    }
}

impl<I: Iterator<Item = Result<RecordBatch, ArrowError>>> Source for BatchSource<I> {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn read(&mut self, rows: usize) -> Result<Option<Rows>, DataError> {
        let first = self.row + 1;
        let (mut slices, mut wanted) = (Vec::new(), rows);
        while wanted > 0 {
            let Some(slice) = self.slice(wanted)? else {
                break;
            };
            wanted -= slice.num_rows();
            slices.push(self.plain(&slice).map_err(DataError::content(&self.path))?);
        }
        if wanted == rows {
            return Ok(None);
        }
        let batch =
            concat_batches(&self.schema, &slices).map_err(DataError::content(&self.path))?;
        Ok(Some(Rows {
            batch,
            places: (first..=self.row)
                .map(|row| Place { row, line: None })
                .collect(),
            bad: Vec::new(),
        }))
    }

    fn skip(&mut self, rows: u64) -> Result<(), DataError> {
        let end = self.row + rows;
        while self.row < end {
            let wanted = usize::try_from(end - self.row).unwrap_or(usize::MAX);
            if self.slice(wanted)?.is_none() {
                break;
            }
        }
        Ok(())
    }
}

/// The schema without categories.
fn plain(schema: &Schema) -> SchemaRef {
    let field = |field: &Arc<Field>| match field.data_type() {
        DataType::Dictionary(_, values) => Arc::new(
            field
                .as_ref()
                .clone()
                .with_data_type(values.as_ref().clone()),
        ),
        _ => field.clone(),
    };
    let fields: Vec<_> = schema.fields().iter().map(field).collect();
    Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()))
}
