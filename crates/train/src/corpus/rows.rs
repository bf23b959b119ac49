//! Rows of a file of texts, in any format. Nothing here knows what a label means.

use std::io::{self, Read};
use std::path::Path;
use std::str;

use serde::Deserialize;

use super::CorpusError;

/// How a file of texts is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// `.txt`: a line is a text. Blank lines are skipped.
    Lines,
    /// `.tsv`: fields between tabs, no quoting, the first line names the columns.
    Tsv,
    /// `.csv`: fields between commas, double quotes, the first line names the columns.
    Csv,
    /// `.jsonl`: a line is a JSON object. Blank lines are skipped.
    JsonLines,
}

impl Format {
    /// The format that the ending of `path` stands for, whatever its case. None if there is none.
    pub fn from_path(path: &Path) -> Option<Format> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "txt" => Some(Format::Lines),
            "tsv" => Some(Format::Tsv),
            "csv" => Some(Format::Csv),
            "jsonl" => Some(Format::JsonLines),
            _ => None,
        }
    }
}

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
pub(super) fn read(
    mut source: impl Read,
    path: &Path,
    format: Format,
) -> Result<Rows, CorpusError> {
    let mut bytes = Vec::new();
    source
        .read_to_end(&mut bytes)
        .map_err(|source| unreadable(source, path))?;
    let rows = match format {
        Format::Tsv => columns(&bytes, b'\t', false, path)?,
        Format::Csv => columns(&bytes, b',', true, path)?,
        Format::Lines => lines(&bytes, path, |text, line| row(text, None, line, path)),
        Format::JsonLines => lines(&bytes, path, |text, line| json(text, line, path)),
    };
    if rows.rows.is_empty() {
        return Err(CorpusError::Empty { path: path.into() });
    }
    Ok(rows)
}

fn columns(bytes: &[u8], delimiter: u8, quoting: bool, path: &Path) -> Result<Rows, CorpusError> {
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .quoting(quoting)
        // The number of fields is checked below, with an error that says what to do.
        .flexible(true)
        .from_reader(bytes);
    let headers = reader
        .headers()
        .map_err(|error| csv_error(error, bytes, path))?;
    let names: Vec<String> = headers.iter().map(|name| name.trim().to_owned()).collect();
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

    let parse = |record: csv::StringRecord| {
        let line = line_of(record.position(), bytes);
        if record.len() > names.len() {
            let problem = format!(
                "{} fields, but the first line names {} columns; \
                 take the separator out of the text (a .csv may put the text in quotes)",
                record.len(),
                names.len()
            );
            return Err(CorpusError::Malformed {
                path: path.into(),
                line,
                problem,
            });
        }
        let label = label.and_then(|index| record.get(index)).map(str::to_owned);
        row(record.get(text).unwrap_or_default(), label, line, path)
    };
    let records = reader.into_records();
    let rows = records.map(|record| parse(record.map_err(|error| csv_error(error, bytes, path))?));
    Ok(Rows {
        rows: rows.collect(),
        columns: Some(names),
    })
}

fn csv_error(error: csv::Error, bytes: &[u8], path: &Path) -> CorpusError {
    let line = line_of(error.position(), bytes);
    let path = path.into();
    match error.kind() {
        csv::ErrorKind::Utf8 { .. } => CorpusError::NotUtf8 { path, line },
        _ => CorpusError::Malformed {
            path,
            line,
            problem: error.to_string(),
        },
    }
}

/// The line that a record starts on. Its position may be that of blank lines before it.
fn line_of(position: Option<&csv::Position>, bytes: &[u8]) -> u64 {
    let Some(position) = position else { return 1 };
    let start = usize::try_from(position.byte()).unwrap_or(usize::MAX);
    let ahead = bytes
        .iter()
        .skip(start)
        .take_while(|byte| matches!(byte, b'\r' | b'\n'));
    position.line() + ahead.map(|byte| u64::from(*byte == b'\n')).sum::<u64>()
}

fn lines(bytes: &[u8], path: &Path, parse: impl Fn(&str, u64) -> Result<Row, CorpusError>) -> Rows {
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let parse = |(line, bytes)| match str::from_utf8(bytes) {
        Ok(text) if text.trim().is_empty() => None,
        Ok(text) => Some(parse(text, line)),
        Err(_) => Some(Err(CorpusError::NotUtf8 {
            path: path.into(),
            line,
        })),
    };
    let rows = (1..)
        .zip(bytes.split(|byte| *byte == b'\n'))
        .filter_map(parse);
    Rows {
        rows: rows.collect(),
        columns: None,
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
