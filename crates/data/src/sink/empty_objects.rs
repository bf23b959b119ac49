//! Objects without fields, which Parquet cannot hold.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{
    Array, ArrayRef, FixedSizeListArray, GenericListArray, OffsetSizeTrait, RecordBatch,
    StringArray, StructArray,
};
use arrow_schema::{ArrowError, DataType, FieldRef, Fields};

use crate::replaced::{columns, like};

/// What stands in the place of an object without fields.
const EMPTY: &str = "{}";

/// The same rows, with the text `{}` for every object that has no fields, wherever it stands.
pub(super) fn as_texts(batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    columns(batch, replaced)
}

fn replaced(array: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    Ok(match array.data_type() {
        DataType::Struct(fields) if fields.is_empty() => {
            let places = 0..array.len();
            let texts = places.map(|place| array.is_valid(place).then_some(EMPTY));
            Arc::new(texts.collect::<StringArray>())
        }
        DataType::Struct(fields) => {
            let columns = array.as_struct().columns().iter().map(replaced);
            let columns = columns.collect::<Result<Vec<_>, _>>()?;
            let fields: Fields = fields
                .iter()
                .zip(&columns)
                .map(|(f, c)| like(f, c))
                .collect();
            Arc::new(StructArray::try_new(
                fields,
                columns,
                array.nulls().cloned(),
            )?)
        }
        DataType::List(field) => list(array.as_list::<i32>(), field)?,
        DataType::LargeList(field) => list(array.as_list::<i64>(), field)?,
        DataType::FixedSizeList(field, size) => {
            let values = replaced(array.as_fixed_size_list().values())?;
            let nulls = array.nulls().cloned();
            Arc::new(FixedSizeListArray::try_new(
                like(field, &values),
                *size,
                values,
                nulls,
            )?)
        }
        _ => array.clone(),
    })
}

fn list<O: OffsetSizeTrait>(
    array: &GenericListArray<O>,
    field: &FieldRef,
) -> Result<ArrayRef, ArrowError> {
    let values = replaced(array.values())?;
    let (offsets, nulls) = (array.offsets().clone(), array.nulls().cloned());
    let list = GenericListArray::try_new(like(field, &values), offsets, values, nulls)?;
    Ok(Arc::new(list))
}
