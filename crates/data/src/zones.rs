//! Times whose zone has a name.

use std::sync::Arc;

use arrow_array::timezone::Tz;
use arrow_array::{Array, ArrayRef, RecordBatch, make_array};
use arrow_schema::{ArrowError, DataType, Field, FieldRef, UnionFields};

use crate::replaced::columns;

/// The zone of times that are written as texts.
const UTC: &str = "+00:00";

/// The same moments, in UTC wherever a column's zone is no offset. What `Europe/Berlin` is ahead of UTC, and
/// when, stands in a table that changes each year and would be a twentieth of the program.
///
/// # Errors
///
/// If a column is not what its type says.
pub(crate) fn in_utc(batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    columns(batch, moments)
}

/// The same numbers under another type: what a time counts from is UTC in every zone.
fn moments(array: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    let to = kind(array.data_type());
    if &to == array.data_type() {
        return Ok(array.clone());
    }
    let data = array.to_data();
    let parts = data.child_data().iter().cloned();
    let parts = parts.map(|part| Ok(moments(&make_array(part))?.to_data()));
    let parts = parts.collect::<Result<_, ArrowError>>()?;
    let data = data
        .into_builder()
        .data_type(to)
        .child_data(parts)
        .build()?;
    Ok(make_array(data))
}

fn field(of: &FieldRef) -> FieldRef {
    Arc::new(Field::clone(of).with_data_type(kind(of.data_type())))
}

/// A type with UTC in the place of every zone that has a name.
fn kind(of: &DataType) -> DataType {
    use DataType::{
        Dictionary, FixedSizeList, LargeList, LargeListView, List, ListView, Map, RunEndEncoded,
        Struct, Timestamp, Union,
    };
    match of {
        Timestamp(unit, Some(zone)) if zone.parse::<Tz>().is_err() => {
            Timestamp(*unit, Some(UTC.into()))
        }
        List(item) => List(field(item)),
        LargeList(item) => LargeList(field(item)),
        ListView(item) => ListView(field(item)),
        LargeListView(item) => LargeListView(field(item)),
        FixedSizeList(item, size) => FixedSizeList(field(item), *size),
        Map(entries, sorted) => Map(field(entries), *sorted),
        Struct(fields) => Struct(fields.iter().map(field).collect()),
        Dictionary(keys, values) => Dictionary(keys.clone(), Box::new(kind(values))),
        RunEndEncoded(ends, values) => RunEndEncoded(ends.clone(), field(values)),
        Union(fields, mode) => {
            let fields = fields.iter().map(|(id, of)| (id, field(of)));
            Union(UnionFields::from_iter(fields), *mode)
        }
        kind => kind.clone(),
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::builder::{ListBuilder, TimestampMicrosecondBuilder};
    use arrow_array::types::Int8Type;
    use arrow_array::{
        DictionaryArray, Int8Array, StructArray, TimestampMicrosecondArray, TimestampSecondArray,
    };
    use rstest::rstest;

    use super::*;
    use crate::{objects, sink};

    /// Noon of 1 July 2026, in UTC.
    const NOON: i64 = 1_782_907_200;

    fn noon(zone: &str) -> TimestampSecondArray {
        TimestampSecondArray::from(vec![Some(NOON), None]).with_timezone(zone)
    }

    fn in_list(zone: &str) -> ArrayRef {
        let kind = DataType::Timestamp(arrow_schema::TimeUnit::Microsecond, Some(zone.into()));
        let times = TimestampMicrosecondBuilder::new().with_data_type(kind);
        let mut list = ListBuilder::new(times);
        list.append_value([Some(NOON * 1_000_000 + 5)]);
        list.append_null();
        Arc::new(list.finish())
    }

    fn in_object(zone: &str) -> ArrayRef {
        let times: ArrayRef = Arc::new(noon(zone));
        let name = Arc::new(Field::new("at", times.data_type().clone(), true));
        let nulls = times.nulls().cloned();
        Arc::new(StructArray::new(vec![name].into(), vec![times], nulls))
    }

    fn of_categories(zone: &str) -> ArrayRef {
        let keys = Int8Array::from(vec![Some(0), None]);
        let times: ArrayRef = Arc::new(noon(zone));
        Arc::new(DictionaryArray::<Int8Type>::new(keys, times))
    }

    #[rstest]
    #[case::a_name(Arc::new(noon("Europe/Berlin")), r#""2026-07-01T12:00:00Z""#)]
    #[case::utc(Arc::new(noon("UTC")), r#""2026-07-01T12:00:00Z""#)]
    #[case::no_such_name(Arc::new(noon("Mars/Olympus")), r#""2026-07-01T12:00:00Z""#)]
    #[case::an_offset(Arc::new(noon("+02:00")), r#""2026-07-01T14:00:00+02:00""#)]
    #[case::west(Arc::new(noon("-0330")), r#""2026-07-01T08:30:00-03:30""#)]
    #[case::no_zone(Arc::new(TimestampMicrosecondArray::from(vec![Some(NOON * 1_000_000), None])),
        r#""2026-07-01T12:00:00""#)]
    #[case::in_a_list(in_list("Asia/Kathmandu"), r#"["2026-07-01T12:00:00.000005Z"]"#)]
    #[case::in_an_object(in_object("US/Eastern"), r#"{"at":"2026-07-01T12:00:00Z"}"#)]
    #[case::categories(of_categories("Etc/GMT+5"), r#""2026-07-01T12:00:00Z""#)]
    fn moments_are_written_in_utc_or_with_their_offset(
        #[case] times: ArrayRef,
        #[case] written: &str,
    ) {
        let batch = RecordBatch::try_from_iter([("time", times)]).unwrap();
        let rows = objects(&batch).unwrap();
        assert_eq!(
            rows,
            [
                format!(r#"{{"time":{written}}}"#),
                r#"{"time":null}"#.to_owned()
            ]
        );
        let csv = sink::csv::encode(&batch).unwrap();
        let cells = csv::Reader::from_reader(csv.as_slice())
            .into_records()
            .map(|row| row.unwrap()[0].to_owned())
            .collect::<Vec<_>>();
        assert_eq!(cells, [written.trim_matches('"'), ""]);
    }
}
