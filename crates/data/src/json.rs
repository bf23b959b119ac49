//! Rows as JSON objects.

use arrow_array::RecordBatch;
use arrow_json::WriterBuilder;
use arrow_json::writer::LineDelimited;
use arrow_schema::ArrowError;

/// Each row as a JSON object with all its columns, in the order of the batch.
///
/// # Errors
///
/// If a column's type has no form in JSON.
pub fn objects(batch: &RecordBatch) -> Result<Vec<String>, ArrowError> {
    if batch.num_columns() == 0 {
        return Ok(vec!["{}".to_owned(); batch.num_rows()]);
    }
    let builder = WriterBuilder::new().with_explicit_nulls(true);
    let mut writer = builder.build::<_, LineDelimited>(Vec::new());
    writer.write(batch)?;
    writer.finish()?;
    // In JSON, a line break within a text is written as an escape.
    let text = String::from_utf8(writer.into_inner())
        .map_err(|error| ArrowError::JsonError(error.to_string()))?;
    Ok(text.lines().map(str::to_owned).collect())
}
