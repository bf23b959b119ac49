//! Records of text files: one at a time, each with the line that it starts on.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read, Seek};
use std::path::Path;
use std::rc::Rc;

use serde_json::{Map, Value};

use crate::{DataError, TableFormat, quotes};

/// Opens a file. `wanted` is what errors ask for if the file is not there.
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
    /// The record as it stands in the file, as far as it is text, or its columns.
    pub raw: Value,
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

/// Where the lines of a source end, as far as it has been read.
#[derive(Clone, Debug, Default)]
struct LineEnds(Rc<RefCell<VecDeque<u64>>>);

/// A source that records where its lines end.
struct Watched<R> {
    source: R,
    read: u64,
    ends: LineEnds,
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(buffer)?;
        let places = (self.read..).zip(&buffer[..count]);
        let ends = places.filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at);
        self.ends.0.borrow_mut().extend(ends);
        self.read += count as u64;
        Ok(count)
    }
}

/// The records of a file that has a separator between fields and the columns' names in its first
/// line. A record may have fewer fields than there are columns, but not more.
///
/// A `.csv` may have semicolons in the place of commas, as spreadsheets of some countries write it; and a
/// line `sep=;` before the first, which says so.
pub(crate) struct Separated<R> {
    reader: csv::Reader<Watched<Source<R>>>,
    separator: u8,
    names: Vec<String>,
    ends: LineEnds,
    /// How many lines end before the record that comes next.
    lines: u64,
}

/// The source and an added line end, so that the last record ends with its line too.
type Source<R> = io::Chain<BufReader<R>, Cursor<&'static [u8]>>;

impl<R: Read + Seek> Separated<R> {
    /// Reads records from `source`: those of a `.csv`, or else of a `.tsv`, which is looked through first:
    /// it shows whether its fields stand in quotes.
    ///
    /// # Errors
    ///
    /// If the source or its first line cannot be read. `path` is what errors call the source.
    pub(crate) fn new(source: R, format: TableFormat, path: &Path) -> Result<Self, DataError> {
        let mut source = BufReader::new(source);
        let (separator, skipped, quoting) = match format {
            TableFormat::Csv => {
                let found = separator_of(&mut source);
                let (separator, skipped) = found.map_err(DataError::io(path))?;
                (separator, skipped, true)
            }
            _ => {
                let quoting = quotes::are_meant(&mut source).map_err(DataError::io(path))?;
                source.rewind().map_err(DataError::io(path))?;
                (b'\t', 0, quoting)
            }
        };
        let ends = LineEnds::default();
        let source = Watched {
            source: source.chain(Cursor::new(b"\n".as_slice())),
            read: 0,
            ends: ends.clone(),
        };
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
        Ok(Self {
            reader,
            separator,
            names,
            ends,
            lines: skipped,
        })
    }
}

impl<R: Read> Separated<R> {
    /// The names of the columns. Empty if the file is.
    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    /// The line on which the record that was just read starts.
    fn line(&mut self, record: &csv::ByteRecord) -> u64 {
        // The reader is after the end of the record or, if lines end with CR and LF, between the
        // two.
        let end = self.reader.position().byte().saturating_sub(1);
        let mut ends = self.ends.0.borrow_mut();
        while ends.front().is_some_and(|at| *at < end) {
            ends.pop_front();
            self.lines += 1;
        }
        // Fields in quotes may have several lines.
        let within = record.as_slice().iter().filter(|byte| **byte == b'\n');
        (self.lines + 1).saturating_sub(within.count() as u64)
    }
}

/// The separator of a `.csv`, and how many lines that name it were skipped.
fn separator_of(source: &mut impl BufRead) -> io::Result<(u8, u64)> {
    let start = source.fill_buf()?;
    let mark = "\u{feff}".len() * usize::from(start.starts_with("\u{feff}".as_bytes()));
    let line = start[mark..].split(|byte| *byte == b'\n').next();
    let line = line.unwrap_or_default();
    let said = line.strip_suffix(b"\r").unwrap_or(line);
    if let [b's', b'e', b'p', b'=', separator] = *said {
        let passed = (mark + line.len() + 1).min(start.len());
        source.consume(passed);
        return Ok((separator, 1));
    }
    let semicolons = line.contains(&b';') && !line.contains(&b',');
    Ok((if semicolons { b';' } else { b',' }, 0))
}

impl<R: Read> Iterator for Separated<R> {
    type Item = Result<Record<csv::StringRecord>, RecordError>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut record = csv::ByteRecord::new();
        match self.reader.read_byte_record(&mut record) {
            Ok(true) => {}
            Ok(false) => return None,
            Err(error) => return Some(Err(unreadable(error))),
        }
        let line = self.line(&record);
        let fields = match csv::StringRecord::from_byte_record(record) {
            Ok(fields) => fields,
            Err(error) => {
                let record = error.into_byte_record();
                let fields: Vec<&[u8]> = record.iter().collect();
                return Some(Err(not_utf8(line, &fields.join(&self.separator))));
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
                raw: fields.iter().collect::<Vec<_>>().join("\t").into(),
            })));
        }
        Some(Ok(Record { line, fields }))
    }
}

fn not_utf8(line: u64, bytes: &[u8]) -> RecordError {
    RecordError::Bad(BadRecord {
        line,
        problem: "not UTF-8; save the file as UTF-8".to_owned(),
        raw: String::from_utf8_lossy(bytes).trim().into(),
    })
}

/// Because the reader does not count fields, the only error is that of the source.
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
                raw: raw.into(),
            })),
        }
    })
}

/// Checks that the value under each of these names is a text, null, or absent.
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines and the first fields of the records, `!` for one that is bad.
    fn records(text: &str, format: TableFormat) -> (Vec<String>, Vec<(u64, String)>) {
        let source = Cursor::new(text.as_bytes());
        let records = Separated::new(source, format, Path::new("in")).unwrap();
        let names = records.names().to_vec();
        let found = records.map(|record| match record {
            Ok(Record { line, fields }) => (line, fields[0].to_owned()),
            Err(RecordError::Bad(bad)) => (bad.line, "!".to_owned()),
            Err(RecordError::Unreadable(error)) => panic!("{error}"),
        });
        (names, found.collect())
    }

    #[test]
    fn a_record_stands_on_the_line_on_which_it_starts_whatever_ends_lines() {
        let text = "text,label\na,0\n\n\"b\nb\",1\nc,0,x\nd,1";
        let expected = [(2, "a"), (4, "b\nb"), (6, "!"), (7, "d")];
        for text in [
            text.to_owned(),
            format!("{text}\n"),
            format!("\u{feff}{text}\n\n"),
        ] {
            for ends in ["\n", "\r\n"] {
                let text = text.replace('\n', ends);
                let (_, found) = records(&text, TableFormat::Csv);
                let found: Vec<_> = found
                    .iter()
                    .map(|(line, field)| (*line, field.replace("\r\n", "\n")))
                    .collect();
                let expected = expected.map(|(line, field)| (line, field.to_owned()));
                assert_eq!(found, expected, "{text:?}");
            }
        }
    }

    #[test]
    fn a_csv_says_its_separator_or_shows_it() {
        for (text, line) in [
            ("text,label\na;b,0\n", 2),
            ("text;label\na,b;0\n", 2),
            ("sep=;\ntext;label\na,b;0\n", 3),
            ("\u{feff}sep=|\r\ntext|label\r\na,b|0\r\n", 3),
            ("sep=,\ntext,label\na;b,0\n", 3),
        ] {
            let (names, found) = records(text, TableFormat::Csv);
            assert_eq!(names, ["text", "label"], "{text:?}");
            assert_eq!(found.len(), 1);
            assert_eq!(found[0].0, line, "{text:?}");
            assert!(matches!(found[0].1.as_str(), "a;b" | "a,b"), "{text:?}");
        }
        let (names, _) = records("sep=;\tx\na\tb\n", TableFormat::Tsv);
        assert_eq!(names, ["sep=;", "x"], "only a .csv says it");
    }

    #[test]
    fn the_fields_of_a_line_that_is_no_text_are_given_back_apart() {
        let source = Cursor::new(b"text,label\r\nna\xefve,1\r\n");
        let mut records = Separated::new(source, TableFormat::Csv, Path::new("in")).unwrap();
        let Some(Err(RecordError::Bad(bad))) = records.next() else {
            panic!("it is no UTF-8");
        };
        assert_eq!((bad.line, bad.raw), (2, "na\u{fffd}ve,1".into()));
    }
}
