//! Rows as JSON objects.

use arrow_array::RecordBatch;
use arrow_json::WriterBuilder;
use arrow_json::writer::LineDelimited;
use arrow_schema::ArrowError;

use crate::zones::in_utc;

/// Each row as a JSON object with all its columns, in the order of the batch. Times are written in UTC,
/// or with the offset that their zone is.
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
    writer.write(&in_utc(batch)?)?;
    writer.finish()?;
    // In JSON, a line break within a text is written as an escape.
    let text = String::from_utf8(writer.into_inner())
        .map_err(|error| ArrowError::JsonError(error.to_string()))?;
    Ok(text.lines().map(str::to_owned).collect())
}
