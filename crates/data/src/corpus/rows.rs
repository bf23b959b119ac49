//! Rows of a file of texts, in any format, with labels as they are written.

use std::io::{BufReader, Read, Seek};
use std::ops::Range;
use std::path::Path;

use serde_json::{Map, Value};

use super::evidence::{of_cell, places};
use crate::records::{Lines, Record, RecordError, Separated, json_objects, texts_at};
use crate::{DataError, TableFormat};

/// The names of the column of texts, in order of preference.
const TEXT: [&str; 2] = ["text", "sentence"];
/// The name of the column of labels.
pub(super) const LABEL: &str = "label";

/// The columns of a file that are read beside its texts and their labels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TextColumns<'n> {
    /// The name of the one that says which pieces of a text decide its label: a piece of the text, the places of
    /// its first character and of the one behind its last, counted from 0, as `[3, 8]`, or a list of these. A
    /// piece stands for each place where the text has it.
    pub evidence: Option<&'n str>,
    /// The name of the one that has the answer to a text.
    pub answer: Option<&'n str>,
    /// The name of the one with the second texts, which are read after the first. What decides then stands in the
    /// second text.
    pub pair: Option<&'n str>,
}

impl TextColumns<'_> {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        *self == TextColumns::default()
    }
}

/// One row as it stands in the file, white space at the ends of the fields taken off.
pub(super) struct Row {
    /// The text, never empty.
    pub text: String,
    /// The label. None if the row has none.
    pub label: Option<String>,
    /// The pieces of the text that decide the label, or of the second, as ranges of characters, if they were asked for.
    pub evidence: Vec<Range<usize>>,
    /// The second text, as it stands there, if it was asked for.
    pub pair: Option<String>,
    /// The answer to the text, as it stands there, if it was asked for.
    pub answer: Option<String>,
    /// The line that the row starts on, counted from 1.
    pub line: u64,
}

/// What a row says, before it is checked.
struct Fields {
    text: String,
    label: Option<String>,
    evidence: Value,
    answer: Option<String>,
    pair: Option<String>,
}

/// The rows of a file. A bad row is an error in its place, and the rest goes on.
pub(super) struct Rows {
    /// The rows in the order of the file.
    pub rows: Vec<Result<Row, DataError>>,
    /// The columns that the first line names. None for a format that names none.
    pub columns: Option<Vec<String>>,
}

/// Reads all rows of `source`. `path` is the name that errors give it, `more` says which other columns are read.
pub(super) fn read(
    source: impl Read + Seek,
    path: &Path,
    format: TableFormat,
    more: TextColumns,
) -> Result<Rows, DataError> {
    let lines = |source| Lines::new(BufReader::new(source));
    let rows = match format {
        TableFormat::Tsv | TableFormat::Csv => {
            columns(Separated::new(source, format, path)?, path, more)?
        }
        TableFormat::JsonLines => Rows {
            rows: collect(
                json_objects(lines(source), move |object| fields(object, more)),
                path,
                more,
                |object| json(object, more),
            )?,
            columns: None,
        },
        _ => Rows {
            rows: collect(lines(source), path, more, |text| Fields {
                text,
                label: None,
                evidence: Value::Null,
                answer: None,
                pair: None,
            })?,
            columns: None,
        },
    };
    if rows.rows.is_empty() {
        return Err(DataError::Empty { path: path.into() });
    }
    Ok(rows)
}

fn columns<R: Read>(
    records: Separated<R>,
    path: &Path,
    more: TextColumns,
) -> Result<Rows, DataError> {
    let names = records.names().to_vec();
    if names.is_empty() {
        return Err(DataError::Empty { path: path.into() });
    }
    let find = |wanted: &str| names.iter().position(|name| name == wanted);
    let Some(text) = TEXT.into_iter().find_map(find) else {
        return Err(DataError::NoColumn {
            path: path.into(),
            wanted: TEXT.map(|name| format!("`{name}`")).join(" or "),
            found: names,
        });
    };
    let label = find(LABEL);
    let wanted = |name: Option<&str>| {
        let found = name.map(|name| {
            find(name).ok_or_else(|| DataError::NoColumn {
                path: path.into(),
                wanted: format!("`{name}`"),
                found: names.clone(),
            })
        });
        found.transpose()
    };
    let (decisive, answer) = (wanted(more.evidence)?, wanted(more.answer)?);
    let pair = wanted(more.pair)?;
    let parse = |fields: csv::StringRecord| {
        let field = |index| fields.get(index).map(str::to_owned);
        Fields {
            text: field(text).unwrap_or_default(),
            label: label.and_then(field),
            evidence: decisive
                .and_then(field)
                .map_or(Value::Null, |cell| of_cell(&cell)),
            answer: answer.and_then(field),
            pair: pair.and_then(field),
        }
    };
    Ok(Rows {
        rows: collect(records, path, more, parse)?,
        columns: Some(names),
    })
}

/// Parses all records. A bad one is an error in its place.
fn collect<T>(
    records: impl Iterator<Item = Result<Record<T>, RecordError>>,
    path: &Path,
    more: TextColumns,
    parse: impl Fn(T) -> Fields,
) -> Result<Vec<Result<Row, DataError>>, DataError> {
    let rows = records.map(|record| match record {
        Ok(Record { line, fields }) => Ok(row(parse(fields), more, line, path)),
        Err(error @ RecordError::Unreadable(_)) => Err(error.at(path)),
        Err(error @ RecordError::Bad(_)) => Ok(Err(error.at(path))),
    });
    rows.collect()
}

/// Checks the texts, the label and the answer of a JSON object; other fields are not read.
fn fields(object: &Map<String, Value>, more: TextColumns) -> Result<(), String> {
    texts_at(&TEXT, object)?;
    for name in [more.answer, more.pair].into_iter().flatten() {
        let value = object.get(name).filter(|value| !value.is_null());
        if let Some(value) = value.filter(|value| !value.is_string()) {
            return Err(format!("`{name}` is {value}, not a text"));
        }
    }
    match object.get(LABEL) {
        None | Some(Value::Null | Value::String(_)) => Ok(()),
        Some(Value::Number(number)) if !number.is_f64() => Ok(()),
        Some(value) => Err(format!("`{LABEL}` is {value}, not a text or an integer")),
    }
}

/// What a JSON object says.
fn json(object: Map<String, Value>, more: TextColumns) -> Fields {
    let text = TEXT.into_iter().find_map(|name| object.get(name)?.as_str());
    let label = object.get(LABEL).and_then(|label| match label {
        Value::String(name) => Some(name.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    });
    let other = |name: Option<&str>| Some(object.get(name?)?.as_str()?.to_owned());
    Fields {
        text: text.unwrap_or_default().to_owned(),
        label,
        evidence: (more.evidence)
            .and_then(|name| object.get(name))
            .cloned()
            .unwrap_or_default(),
        answer: other(more.answer),
        pair: other(more.pair),
    }
}

fn row(fields: Fields, more: TextColumns, line: u64, path: &Path) -> Result<Row, DataError> {
    let text = fields.text.trim().to_owned();
    if text.is_empty() {
        return Err(DataError::NoText {
            path: path.into(),
            line,
        });
    }
    let label = fields.label;
    let label = label
        .map(|label| label.trim().to_owned())
        .filter(|label| !label.is_empty());
    let wrong = |column: Option<&str>, problem: &str| DataError::Malformed {
        path: path.into(),
        line,
        problem: format!("`{}` {problem}", column.unwrap_or_default()),
    };
    let pair = fields.pair.filter(|pair| !pair.trim().is_empty());
    if more.pair.is_some() && pair.is_none() {
        return Err(wrong(more.pair, "has no text"));
    }
    // Places are counted in the text as the file has it, and the second is not trimmed.
    let decisive = pair.as_ref().unwrap_or(&fields.text);
    let evidence = places(decisive, &fields.evidence);
    let evidence = evidence.map_err(|problem| wrong(more.evidence, &problem))?;
    let before = match pair {
        None => fields.text.chars().count() - fields.text.trim_start().chars().count(),
        Some(_) => 0,
    };
    let shift =
        |range: Range<usize>| range.start.saturating_sub(before)..range.end.saturating_sub(before);
    let evidence = evidence.into_iter().map(shift).collect();
    Ok(Row {
        text,
        label,
        evidence,
        answer: fields.answer.filter(|answer| !answer.trim().is_empty()),
        pair,
        line,
    })
}
