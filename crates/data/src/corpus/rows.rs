//! Rows of a file of texts, in any format. Nothing here knows what a label means.

use std::io::{self, BufReader, Read};
use std::path::Path;

use crate::Format;
use crate::{
    records::BadRecord, records::Flaw, records::Lines, records::Record, records::RecordError,
    records::Separated,
};
use serde::Deserialize;

use super::CorpusError;

/// One row as it stands in the file, white space at the ends of the fields taken off.
pub(super) struct Row {
    /// The text, never empty.
    pub text: String,
    /// The label. None if the row has none.
    pub label: Option<String>,
    /// The line that the row starts on, counted from 1.
    pub line: u64,
}

/// The rows of a file. A bad row is an error in its place, and the rest goes on.
pub(super) struct Rows {
    /// The rows in the order of the file.
    pub rows: Vec<Result<Row, CorpusError>>,
    /// The columns that the first line names. None for a format that names none.
    pub columns: Option<Vec<String>>,
}

/// Reads all rows of `source`. `path` is the name that errors give it.
pub(super) fn read(source: impl Read, path: &Path, format: Format) -> Result<Rows, CorpusError> {
    let rows = match format {
        Format::Tsv => columns(Separated::new(source, b'\t', false), path)?,
        Format::Csv => columns(Separated::new(source, b',', true), path)?,
        Format::JsonLines => lines(source, path, |text, line| json(text, line, path))?,
        _ => lines(source, path, |text, line| row(text, None, line, path))?,
    };
    if rows.rows.is_empty() {
        return Err(CorpusError::Empty { path: path.into() });
    }
    Ok(rows)
}

fn columns<R: Read>(
    records: Result<Separated<R>, RecordError>,
    path: &Path,
) -> Result<Rows, CorpusError> {
    let records = records.map_err(|error| failed(error, path).unwrap_or_else(|error| error))?;
    let names = records.names().to_vec();
    if names.is_empty() {
        return Err(CorpusError::Empty { path: path.into() });
    }
    let find = |wanted: &str| names.iter().position(|name| name == wanted);
    let Some(text) = find("text").or_else(|| find("sentence")) else {
        let wanted = "`text` or `sentence`";
        return Err(CorpusError::MissingColumn {
            path: path.into(),
            wanted,
            found: names,
        });
    };
    let label = find("label");
    let parse = |Record { line, fields }: Record<csv::StringRecord>| {
        let label = label.and_then(|index| fields.get(index)).map(str::to_owned);
        row(fields.get(text).unwrap_or_default(), label, line, path)
    };
    Ok(Rows {
        rows: collect(records, path, parse)?,
        columns: Some(names),
    })
}

fn lines(
    source: impl Read,
    path: &Path,
    parse: impl Fn(&str, u64) -> Result<Row, CorpusError>,
) -> Result<Rows, CorpusError> {
    let lines = Lines::new(BufReader::new(source));
    let parse = |Record { line, fields }: Record<String>| parse(&fields, line);
    Ok(Rows {
        rows: collect(lines, path, parse)?,
        columns: None,
    })
}

/// Parses all records. A bad one is an error in its place.
fn collect<T>(
    records: impl Iterator<Item = Result<Record<T>, RecordError>>,
    path: &Path,
    parse: impl Fn(Record<T>) -> Result<Row, CorpusError>,
) -> Result<Vec<Result<Row, CorpusError>>, CorpusError> {
    let rows = records.map(|record| match record {
        Ok(record) => Ok(parse(record)),
        Err(error) => failed(error, path).map(Err),
    });
    rows.collect()
}

/// The error for a bad record; or, as the outer error, for a source that cannot be read on.
fn failed(error: RecordError, path: &Path) -> Result<CorpusError, CorpusError> {
    let path = path.into();
    match error {
        RecordError::Unreadable(source) => Err(CorpusError::Unreadable { path, source }),
        RecordError::Bad(BadRecord { line, flaw, .. }) => Ok(match flaw {
            Flaw::NotUtf8 => CorpusError::NotUtf8 { path, line },
            Flaw::Malformed(problem) => CorpusError::Malformed {
                path,
                line,
                problem,
            },
        }),
    }
}

/// The keys of a JSON line that matter; the others are left alone.
#[derive(Deserialize)]
struct JsonRow {
    #[serde(alias = "sentence")]
    text: Option<String>,
    label: Option<JsonLabel>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "a label is a string or an integer")]
enum JsonLabel {
    Name(String),
    Number(i64),
}

fn json(text: &str, line: u64, path: &Path) -> Result<Row, CorpusError> {
    let parsed: JsonRow = serde_json::from_str(text).map_err(|error| {
        // The line that serde_json counts is always its first.
        let message = error.to_string();
        let what = message
            .rsplit_once(" at line ")
            .map_or(message.as_str(), |(what, _)| what);
        let problem = format!(
            "{what}, column {}; a line is one JSON object such as \
             {{\"text\": \"a film\", \"label\": 1}}",
            error.column()
        );
        CorpusError::Malformed {
            path: path.into(),
            line,
            problem,
        }
    })?;
    let label = parsed.label.map(|label| match label {
        JsonLabel::Name(name) => name,
        JsonLabel::Number(number) => number.to_string(),
    });
    row(&parsed.text.unwrap_or_default(), label, line, path)
}

fn row(text: &str, label: Option<String>, line: u64, path: &Path) -> Result<Row, CorpusError> {
    let text = text.trim().to_owned();
    if text.is_empty() {
        return Err(CorpusError::NoText {
            path: path.into(),
            line,
        });
    }
    let label = label
        .map(|label| label.trim().to_owned())
        .filter(|label| !label.is_empty());
    Ok(Row { text, label, line })
}

/// The error for a source that the system does not hand out.
pub(super) fn unreadable(source: io::Error, path: &Path) -> CorpusError {
    CorpusError::Unreadable {
        path: path.into(),
        source,
    }
}
