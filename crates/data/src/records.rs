//! Records of text files: one at a time, each with the line that it starts on.

use std::fs::File;
use std::io::{self, BufRead, Cursor, Read};
use std::path::Path;

use serde_json::{Map, Value};

use crate::{DataError, TableFormat};

/// Opens a file. `wanted` is what errors offer in place of one that is not there.
pub(crate) fn open(path: &Path, wanted: &'static str) -> Result<File, DataError> {
    File::open(path).map_err(DataError::opening(path, wanted))
}

/// One record.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Record<T> {
    /// The line that it starts on, counted from 1.
    pub line: u64,
    /// What it holds.
    pub fields: T,
}

/// Why there is no record here.
#[derive(Debug)]
pub(crate) enum RecordError {
    /// The source cannot be read any further.
    Unreadable(io::Error),
    /// This record is bad; the next may be good.
    Bad(BadRecord),
}

/// A record that breaks the rules of its format.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct BadRecord {
    /// The line that it starts on, counted from 1.
    pub line: u64,
    /// What is wrong with it and what to do.
    pub problem: String,
    /// The record as it stands in the file, as far as it is text.
    pub raw: String,
}

impl RecordError {
    /// The error for the file `path`.
    pub(crate) fn at(self, path: &Path) -> DataError {
        match self {
            Self::Unreadable(error) => DataError::io(path)(error),
            Self::Bad(BadRecord { line, problem, .. }) => DataError::Malformed {
                path: path.to_owned(),
                line,
                problem,
            },
        }
    }
}

/// The lines of a file that are not blank, white space at their ends taken off.
pub(crate) struct Lines<R> {
    source: R,
    line: u64,
}

impl<R: BufRead> Lines<R> {
    /// Reads lines from `source`.
    pub(crate) fn new(source: R) -> Self {
        Self { source, line: 0 }
    }

    /// The next line as it is. None at the end.
    fn bytes(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut bytes = Vec::new();
        if self.source.read_until(b'\n', &mut bytes)? == 0 {
            return Ok(None);
        }
        self.line += 1;
        if self.line == 1 && bytes.starts_with("\u{feff}".as_bytes()) {
            bytes.drain(..3);
        }
        Ok(Some(bytes))
    }
}

impl<R: BufRead> Iterator for Lines<R> {
    type Item = Result<Record<String>, RecordError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let bytes = match self.bytes() {
                Ok(bytes) => bytes?,
                Err(error) => return Some(Err(RecordError::Unreadable(error))),
            };
            let line = self.line;
            match str::from_utf8(&bytes) {
                Ok(text) if text.trim().is_empty() => {}
                Ok(text) => {
                    let fields = text.trim().to_owned();
                    return Some(Ok(Record { line, fields }));
                }
                Err(_) => return Some(Err(not_utf8(line, &bytes))),
            }
        }
    }
}

/// The records of a file that has a separator between fields and the columns' names in its first
/// line. A record may have fewer fields than there are columns, but not more.
pub(crate) struct Separated<R> {
    reader: csv::Reader<io::Chain<R, Cursor<&'static [u8]>>>,
    names: Vec<String>,
}

impl<R: Read> Separated<R> {
    /// Reads records from `source`: those of a `.csv`, or else of a `.tsv`.
    ///
    /// # Errors
    ///
    /// If the first line cannot be read. `path` is what errors call the source.
    pub(crate) fn new(source: R, format: TableFormat, path: &Path) -> Result<Self, DataError> {
        let (separator, quoting) = match format {
            TableFormat::Csv => (b',', true),
            _ => (b'\t', false),
        };
        // The last line is ended, too, so that every record ends with its line.
        let source = source.chain(Cursor::new(b"\n".as_slice()));
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(separator)
            .quoting(quoting)
            // The number of fields is checked below, with an error that says what to do.
            .flexible(true)
            .from_reader(source);
        let header = reader.byte_headers().cloned();
        let header = header.map_err(|error| unreadable(error).at(path))?;
        let header = csv::StringRecord::from_byte_record(header)
            .map_err(|error| not_utf8(1, error.into_byte_record().as_slice()).at(path))?;
        let names = header.iter().map(|name| name.trim().to_owned()).collect();
        Ok(Self { reader, names })
    }

    /// The names of the columns. Empty if the file is.
    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }
}

impl<R: Read> Iterator for Separated<R> {
    type Item = Result<Record<csv::StringRecord>, RecordError>;

    fn next(&mut self) -> Option<Self::Item> {
        let first = self.reader.position().line();
        let mut record = csv::ByteRecord::new();
        match self.reader.read_byte_record(&mut record) {
            Ok(true) => {}
            Ok(false) => return None,
            Err(error) => return Some(Err(unreadable(error))),
        }
        // Blank lines before a record are skipped, and fields in quotes may have several lines.
        let within = record.as_slice().iter().filter(|byte| **byte == b'\n');
        let ends = self.reader.position().line() - 1;
        let line = ends.saturating_sub(within.count() as u64).max(first);
        let fields = match csv::StringRecord::from_byte_record(record) {
            Ok(fields) => fields,
            Err(error) => {
                let bytes = error.into_byte_record();
                return Some(Err(not_utf8(line, bytes.as_slice())));
            }
        };
        if fields.len() > self.names.len() {
            let problem = format!(
                "{} fields, but the first line names {} columns; \
                 take the separator out of the text (a .csv may put the text in quotes)",
                fields.len(),
                self.names.len()
            );
            return Some(Err(RecordError::Bad(BadRecord {
                line,
                problem,
                raw: fields.iter().collect::<Vec<_>>().join("\t"),
            })));
        }
        Some(Ok(Record { line, fields }))
    }
}

fn not_utf8(line: u64, bytes: &[u8]) -> RecordError {
    RecordError::Bad(BadRecord {
        line,
        problem: "not UTF-8; save the file as UTF-8".to_owned(),
        raw: String::from_utf8_lossy(bytes).trim().to_owned(),
    })
}

/// A reader of bytes that counts no fields can only fail to read.
fn unreadable(error: csv::Error) -> RecordError {
    RecordError::Unreadable(error.into())
}

/// The objects of a file of JSON lines. `check` says what is wrong with one, if anything is.
pub(crate) fn json_objects<R: BufRead>(
    lines: Lines<R>,
    check: impl Fn(&Map<String, Value>) -> Result<(), String>,
) -> impl Iterator<Item = Result<Record<Map<String, Value>>, RecordError>> {
    lines.map(move |record| {
        let Record { line, fields: raw } = record?;
        let parsed = serde_json::from_str(&raw).map_err(|error| {
            // The line that serde_json counts is always its first.
            let message = error.to_string();
            let what = message
                .rsplit_once(" at line ")
                .map_or(message.as_str(), |(what, _)| what);
            format!("{what}, column {}", error.column())
        });
        let checked = parsed.and_then(|fields: Map<String, Value>| {
            check(&fields)?;
            Ok(fields)
        });
        match checked {
            Ok(fields) => Ok(Record { line, fields }),
            Err(problem) => Err(RecordError::Bad(BadRecord {
                line,
                problem: format!(
                    "{problem}; a line is one JSON object such as \
                     {{\"text\": \"a film\", \"label\": 1}}"
                ),
                raw,
            })),
        }
    })
}

/// Checks that what stands under these names is a text or null, or is not there.
pub(crate) fn texts_at(
    names: &[impl AsRef<str>],
    object: &Map<String, Value>,
) -> Result<(), String> {
    for name in names.iter().map(AsRef::as_ref) {
        match object.get(name) {
            None | Some(Value::Null | Value::String(_)) => {}
            Some(value) => return Err(format!("`{name}` is {value}, not a text")),
        }
    }
    Ok(())
}
