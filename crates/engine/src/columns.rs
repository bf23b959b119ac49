//! Explanations as the columns of a table; docs/bulk.md lists them.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Float32Array, Float64Array, Int32Array, ListArray, RecordBatch,
    StringArray, StructArray, UInt32Array,
};
use arrow_buffer::OffsetBuffer;
use arrow_schema::{DataType, Field, Fields, Schema};
use arrow_select::take::take;
use relprop_data::Place;
use relprop_explain::{Explanation, Hop, Ledger, Plan};
use serde_json::json;

use crate::{EngineError, Group};

/// A column that has a value in every row.
type Column = (&'static str, ArrayRef);

/// What explanations have beside what all have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extras {
    /// A ledger.
    pub ledger: bool,
    /// Segments.
    pub segments: bool,
    /// Hops.
    pub hops: bool,
}

impl From<&Plan> for Extras {
    fn from(plan: &Plan) -> Self {
        Self {
            ledger: plan.ledger,
            segments: plan.segments.is_some(),
            hops: plan.hops > 0,
        }
    }
}

/// The columns of the input, then those of the explanations, with those of the `extras` that they have.
/// The facts that all rows share stand in the metadata, under `relprop`.
///
/// # Errors
///
/// [`EngineError::ColumnTaken`] if the input has a column of the same name.
pub fn columns_of(group: &Group, extras: Extras) -> Result<RecordBatch, EngineError> {
    let explanations: Vec<_> = group.explanations().collect();
    let added = all_columns(&explanations, extras)?;
    let input = group.batch.schema();
    let mut fields: Vec<_> = input.fields().iter().cloned().collect();
    let mut arrays = group.batch.columns().to_vec();
    for (name, array) in added {
        if input.index_of(name).is_ok() {
            return Err(EngineError::ColumnTaken(name));
        }
        fields.push(Arc::new(Field::new(name, array.data_type().clone(), false)));
        arrays.push(array);
    }
    let mut metadata = input.metadata().clone();
    if let Some(first) = explanations.first() {
        metadata.insert("relprop".to_owned(), facts(first));
    }
    let schema = Schema::new_with_metadata(fields, metadata);
    Ok(RecordBatch::try_new(Arc::new(schema), arrays)?)
}

/// The columns of `batch`, whose rows are `places`, then those of their explanations in `group`, and a
/// column `error`. A row that was not explained has its reason there, and null in the others.
///
/// # Errors
///
/// As [`columns_of`].
pub(crate) fn columns_with_errors(
    batch: &RecordBatch,
    places: &[Place],
    group: &Group,
    extras: Extras,
) -> Result<RecordBatch, EngineError> {
    let explanations: Vec<_> = group.explanations().collect();
    let added = all_columns(&explanations, extras)?;
    // Both the rows and the bad ones among them are in order.
    let (mut bad, mut good) = (group.bad.iter().peekable(), 0..);
    let reasons = places
        .iter()
        .map(|place| bad.next_if(|row| row.place == *place));
    let reasons: Vec<Option<&str>> = reasons.map(|row| Some(row?.reason.as_str())).collect();
    let explained = reasons.iter().map(|reason| match reason {
        None => good.next(),
        Some(_) => None,
    });
    let explained = UInt32Array::from_iter(explained);
    let input = batch.schema();
    let mut fields: Vec<_> = input.fields().iter().cloned().collect();
    let mut arrays = batch.columns().to_vec();
    let mut add = |name: &'static str, array: ArrayRef| {
        if input.index_of(name).is_ok() {
            return Err(EngineError::ColumnTaken(name));
        }
        fields.push(Arc::new(Field::new(name, array.data_type().clone(), true)));
        arrays.push(array);
        Ok(())
    };
    for (name, array) in added {
        add(name, take(&array, &explained, None)?)?;
    }
    add("error", Arc::new(StringArray::from(reasons)))?;
    let schema = Schema::new_with_metadata(fields, input.metadata().clone());
    Ok(RecordBatch::try_new(Arc::new(schema), arrays)?)
}

/// The facts that all rows share, as JSON.
fn facts(explanation: &Explanation) -> String {
    let Explanation {
        schema,
        method,
        rules,
        at,
        model,
        device,
        version,
        labels,
        ..
    } = explanation;
    json!({
        "schema": schema, "method": method, "rules": rules, "at": at, "model": model,
        "device": device, "version": version, "labels": labels,
    })
    .to_string()
}

fn all_columns(explanations: &[&Explanation], extras: Extras) -> Result<Vec<Column>, EngineError> {
    let mut added = columns(explanations)?;
    if extras.segments {
        added.push(segment_column(explanations)?);
    }
    if extras.hops {
        added.push(hop_column(explanations)?);
    }
    if extras.ledger {
        added.extend(ledger_columns(explanations)?);
    }
    Ok(added)
}

fn segment_column(explanations: &[&Explanation]) -> Result<Column, EngineError> {
    let each = || explanations.iter();
    let segments = || each().flat_map(|e| &e.segments);
    let names = segments().map(|segment| segment.name.as_deref().unwrap_or_default());
    let segments = structure(vec![
        ("name", strings(names)),
        ("text", strings(segments().map(|s| s.text.as_str()))),
        ("start", integers(segments().map(|s| s.start))?),
        ("end", integers(segments().map(|s| s.end))?),
        ("relevance", floats(segments().map(|s| s.relevance))),
        ("rank", integers(segments().map(|s| s.rank))?),
    ])?;
    let lengths = each().map(|e| e.segments.len());
    Ok(("segments", list(lengths, segments)?))
}

fn hop_column(explanations: &[&Explanation]) -> Result<Column, EngineError> {
    let each = || explanations.iter();
    let of = |number: fn(&Hop) -> f64| doubles(each().flat_map(|e| &e.hops).map(number));
    let hops = structure(vec![
        ("target", of(|hop| hop.target)),
        ("prompt", of(|hop| hop.prompt)),
        ("answer", of(|hop| hop.answer)),
        ("kept", of(|hop| hop.kept)),
        ("absorbed", of(|hop| hop.absorbed)),
        ("unaccounted", of(|hop| hop.unaccounted)),
    ])?;
    Ok(("hops", list(each().map(|e| e.hops.len()), hops)?))
}

fn columns(explanations: &[&Explanation]) -> Result<Vec<Column>, EngineError> {
    let texts = |text: fn(&Explanation) -> &str| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(
            explanations.iter().map(|e| text(e)),
        ))
    };
    let each = || explanations.iter();
    let tokens = || each().flat_map(|e| &e.tokens);
    let words = || each().flat_map(|e| &e.words);
    let logits = Float32Array::from_iter_values(each().flat_map(|e| e.logits.iter().copied()));
    Ok(vec![
        ("prediction", texts(|e| &e.prediction)),
        ("target", texts(|e| &e.target.label)),
        ("target_value", floats(each().map(|e| e.target.value))),
        (
            "logits",
            list(each().map(|e| e.logits.len()), Arc::new(logits))?,
        ),
        (
            "tokens",
            list(
                each().map(|e| e.tokens.len()),
                structure(vec![
                    ("text", strings(tokens().map(|token| token.text.as_str()))),
                    ("id", integers(tokens().map(|token| token.id as usize))?),
                    ("start", integers(tokens().map(|token| token.start))?),
                    ("end", integers(tokens().map(|token| token.end))?),
                    ("special", booleans(tokens().map(|token| token.special))),
                    ("relevance", floats(tokens().map(|token| token.relevance))),
                ])?,
            )?,
        ),
        (
            "words",
            list(
                each().map(|e| e.words.len()),
                structure(vec![
                    ("text", strings(words().map(|word| word.text.as_str()))),
                    ("start", integers(words().map(|word| word.start))?),
                    ("end", integers(words().map(|word| word.end))?),
                    ("relevance", floats(words().map(|word| word.relevance))),
                ])?,
            )?,
        ),
        (
            "dropped_tokens",
            integers(each().map(|e| e.dropped_tokens))?,
        ),
    ])
}

/// What was absorbed, summed by kind, and what is unaccounted.
fn ledger_columns(explanations: &[&Explanation]) -> Result<Vec<Column>, EngineError> {
    let ledgers: Vec<&Ledger> = explanations.iter().filter_map(|e| e.ledger()).collect();
    let sums: Vec<_> = ledgers.iter().map(|ledger| ledger.by_kind()).collect();
    let kinds = || sums.iter().flatten();
    Ok(vec![
        (
            "absorbed",
            list(
                sums.iter().map(Vec::len),
                structure(vec![
                    ("kind", strings(kinds().map(|(kind, _)| *kind))),
                    (
                        "relevance",
                        doubles(kinds().map(|(_, relevance)| *relevance)),
                    ),
                ])?,
            )?,
        ),
        (
            "unaccounted",
            doubles(ledgers.iter().map(|ledger| ledger.unaccounted)),
        ),
    ])
}

fn strings<'a>(values: impl Iterator<Item = &'a str>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

/// Signed integers of 32 bits, which every reader of tables has.
fn integers(values: impl Iterator<Item = usize>) -> Result<ArrayRef, EngineError> {
    let values = values.map(|value| i32::try_from(value).map_err(|_| EngineError::TextTooLong));
    Ok(Arc::new(Int32Array::from(
        values.collect::<Result<Vec<_>, _>>()?,
    )))
}

fn booleans(values: impl Iterator<Item = bool>) -> ArrayRef {
    Arc::new(BooleanArray::from(values.collect::<Vec<_>>()))
}

fn floats(values: impl Iterator<Item = f32>) -> ArrayRef {
    Arc::new(Float32Array::from_iter_values(values))
}

fn doubles(values: impl Iterator<Item = f64>) -> ArrayRef {
    Arc::new(Float64Array::from_iter_values(values))
}

fn structure(columns: Vec<Column>) -> Result<ArrayRef, EngineError> {
    let field = |(name, array): &Column| Field::new(*name, array.data_type().clone(), false);
    let fields: Fields = columns.iter().map(field).collect();
    let arrays = columns.into_iter().map(|(_, array)| array).collect();
    Ok(Arc::new(StructArray::try_new(fields, arrays, None)?))
}

/// Lists of these lengths, whose items stand one after another in `items`.
fn list(lengths: impl Iterator<Item = usize>, items: ArrayRef) -> Result<ArrayRef, EngineError> {
    let field = Arc::new(Field::new(
        "item",
        DataType::clone(items.data_type()),
        false,
    ));
    let offsets = OffsetBuffer::from_lengths(lengths);
    Ok(Arc::new(ListArray::try_new(field, offsets, items, None)?))
}
