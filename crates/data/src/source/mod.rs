//! Sources of rows, which give as many rows at a time as are asked for, in the order of the table.

mod batches;
mod text;

use std::fmt;
use std::io::BufRead;
use std::path::Path;

use arrow_array::RecordBatch;
use arrow_schema::{ArrowError, SchemaRef};
use serde_json::Value;

use crate::DataError;
use crate::records::{Lines, Record};

pub(crate) use batches::BatchSource;
pub(crate) use text::{TextSource, schema_of_texts};

/// Gives the rows of a table, a group at a time.
pub trait Source {
    /// The columns.
    fn schema(&self) -> &SchemaRef;

    /// The next `rows` rows; fewer at the end of the table, and none after it.
    ///
    /// # Errors
    ///
    /// If the table cannot be read any further. A bad row is no error: it is in [`Rows::bad`].
    fn read(&mut self, rows: usize) -> Result<Option<Rows>, DataError>;

    /// Skips the next `rows` rows.
    ///
    /// # Errors
    ///
    /// As [`Source::read`].
    fn skip(&mut self, rows: u64) -> Result<(), DataError>;
}

impl<S: Source + ?Sized> Source for Box<S> {
    fn schema(&self) -> &SchemaRef {
        (**self).schema()
    }

    fn read(&mut self, rows: usize) -> Result<Option<Rows>, DataError> {
        (**self).read(rows)
    }

    fn skip(&mut self, rows: u64) -> Result<(), DataError> {
        (**self).skip(rows)
    }
}

/// Some rows of a table.
#[derive(Clone, Debug)]
pub struct Rows {
    /// The rows that can be read, with all their columns.
    pub batch: RecordBatch,
    /// Where each of them stands.
    pub places: Vec<Place>,
    /// The rows that cannot be read.
    pub bad: Vec<BadRow>,
}

impl Rows {
    /// No rows, with these columns.
    pub fn empty(schema: &SchemaRef) -> Self {
        Self {
            batch: RecordBatch::new_empty(schema.clone()),
            places: Vec::new(),
            bad: Vec::new(),
        }
    }

    /// How many rows of the table these are, bad ones included.
    pub fn len(&self) -> usize {
        self.batch.num_rows() + self.bad.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Where a row stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Which row of the table it is, bad ones included, counted from 1.
    pub row: u64,
    /// The line of the file that it starts on, counted from 1, where the file has lines.
    pub line: Option<u64>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}"),
            None => write!(f, "row {}", self.row),
        }
    }
}

/// A row that cannot be used.
#[derive(Clone, Debug, PartialEq)]
pub struct BadRow {
    /// Where it stands.
    pub place: Place,
    /// What is wrong with it.
    pub reason: String,
    /// The row: an object of its columns, or its text where it has no columns that could be read.
    pub input: Value,
}

/// A table of these texts, in a column `text`.
pub fn given(texts: Vec<String>) -> impl Source {
    let records = (1..)
        .zip(texts)
        .map(|(line, fields)| Ok(Record { line, fields }));
    TextSource::new(records, schema_of_texts(), Path::new("the texts"))
}

/// A table of these batches, which have `schema`. `name` is its name in errors.
pub fn batches<I>(batches: I, schema: &SchemaRef, name: &str) -> impl Source + use<I>
where
    I: Iterator<Item = Result<RecordBatch, ArrowError>>,
{
    BatchSource::new(batches, schema, Path::new(name), 0)
}

/// A table of the lines of `reader`, in a column `text`. `name` is its name in errors.
pub fn lines(reader: impl BufRead, name: &str) -> impl Source {
    TextSource::new(Lines::new(reader), schema_of_texts(), Path::new(name))
}
