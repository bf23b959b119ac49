//! A batch whose columns are others.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_schema::{ArrowError, Field, FieldRef, Schema};

/// The same rows, with what `with` makes of each column.
///
/// # Errors
///
/// If `with` fails, or makes another number of rows.
pub(crate) fn columns(
    batch: &RecordBatch,
    with: impl Fn(&ArrayRef) -> Result<ArrayRef, ArrowError>,
) -> Result<RecordBatch, ArrowError> {
    let schema = batch.schema();
    let columns = batch.columns().iter().map(with);
    let columns = columns.collect::<Result<Vec<_>, _>>()?;
    let fields = schema.fields().iter().zip(&columns);
    let fields: Vec<_> = fields.map(|(field, column)| like(field, column)).collect();
    let schema = Schema::new_with_metadata(fields, schema.metadata().clone());
    let rows = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::new(schema), columns, &rows)
}

/// The field of an array that was replaced.
pub(crate) fn like(field: &FieldRef, array: &ArrayRef) -> FieldRef {
    let field = Field::clone(field);
    Arc::new(field.with_data_type(array.data_type().clone()))
}
