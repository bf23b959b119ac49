//! Rows of a file of texts, in any format. Nothing here knows what a label means.

use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
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
pub(super) fn read(source: impl Read, path: &Path, format: Format) -> Result<Rows, CorpusError> {
    let rows = match format {
        Format::Tsv => columns(csv_reader(source, b'\t', false), path),
        Format::Csv => columns(csv_reader(source, b',', true), path),
        Format::Lines => lines(source, path, |text, line| row(text, None, line, path)),
        Format::JsonLines => lines(source, path, |text, line| json(text, line, path)),
    }?;
    if rows.rows.is_empty() {
        return Err(CorpusError::Empty { path: path.into() });
    }
    Ok(rows)
}

fn csv_reader<R: Read>(source: R, delimiter: u8, quoting: bool) -> csv::Reader<R> {
    csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .quoting(quoting)
        // The number of fields is checked here, with an error that says what to do.
        .flexible(true)
        .from_reader(source)
}

fn columns(mut reader: csv::Reader<impl Read>, path: &Path) -> Result<Rows, CorpusError> {
    let headers = reader
        .headers()
        .map_err(|error| csv_error(error, 1, path))?;
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

    let mut rows = Vec::new();
    let mut record = csv::StringRecord::new();
    loop {
        let line = reader.position().line();
        match reader.read_record(&mut record) {
            Ok(false) => break,
            Ok(true) => {}
            Err(error) => match csv_error(error, line, path) {
                error @ CorpusError::Unreadable { .. } => return Err(error),
                error => {
                    rows.push(Err(error));
                    continue;
                }
            },
        }
        let line = record.position().map_or(line, csv::Position::line);
        rows.push(if record.len() > names.len() {
            let (fields, names) = (record.len(), names.len());
            Err(malformed(
                path,
                line,
                format!(
                    "{fields} fields, but the first line names {names} columns; \
                     take the separator out of the text (a .csv may put the text in quotes)"
                ),
            ))
        } else {
            let label = label.and_then(|index| record.get(index)).map(str::to_owned);
            row(record.get(text).unwrap_or_default(), label, line, path)
        });
    }
    Ok(Rows {
        rows,
        columns: Some(names),
    })
}

fn csv_error(error: csv::Error, line: u64, path: &Path) -> CorpusError {
    let line = error.position().map_or(line, csv::Position::line);
    let problem = error.to_string();
    match error.into_kind() {
        csv::ErrorKind::Utf8 { .. } => CorpusError::NotUtf8 {
            path: path.into(),
            line,
        },
        csv::ErrorKind::Io(source) => CorpusError::Unreadable {
            path: path.into(),
            source,
        },
        _ => malformed(path, line, problem),
    }
}

fn lines(
    source: impl Read,
    path: &Path,
    parse: impl Fn(&str, u64) -> Result<Row, CorpusError>,
) -> Result<Rows, CorpusError> {
    let mut rows = Vec::new();
    for (line, bytes) in (1..).zip(BufReader::new(source).split(b'\n')) {
        let bytes = bytes.map_err(|source| unreadable(source, path))?;
        let bytes = match line {
            1 => bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&bytes),
            _ => &bytes,
        };
        match str::from_utf8(bytes) {
            Ok(text) if text.trim().is_empty() => {}
            Ok(text) => rows.push(parse(text, line)),
            Err(_) => rows.push(Err(CorpusError::NotUtf8 {
                path: path.into(),
                line,
            })),
        }
    }
    Ok(Rows {
        rows,
        columns: None,
    })
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
        malformed(
            path,
            line,
            format!(
                "{error}; a line is one JSON object such as {{\"text\": \"a film\", \"label\": 1}}"
            ),
        )
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

fn malformed(path: &Path, line: u64, problem: String) -> CorpusError {
    CorpusError::Malformed {
        path: path.into(),
        line,
        problem,
    }
}

pub(super) fn unreadable(source: io::Error, path: &Path) -> CorpusError {
    CorpusError::Unreadable {
        path: PathBuf::from(path),
        source,
    }
}
