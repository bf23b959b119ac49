//! Where the texts come from.

use std::io::stdin;
use std::ops::Range;
use std::path::Path;

use anyhow::anyhow;
use relprop_data::{DataError, Place, Rows, Source, Table, given, lines};

/// The table at `path`. `column` names the texts, where it is given.
pub(crate) fn open_table(path: &Path, column: Option<&str>) -> anyhow::Result<Table> {
    Table::open(path, column).map_err(|error| match error {
        DataError::NoColumn { .. } | DataError::NotText { .. } => {
            anyhow!("{error}; name the column with the texts (--column)")
        }
        error => error.into(),
    })
}

/// A table to explain, or a part of one.
pub(crate) struct Input {
    /// What messages call it.
    name: String,
    source: Box<dyn Source>,
    /// The column of the texts.
    pub(crate) column: usize,
    /// How many rows are left to read, where it is known.
    pub(crate) left: Option<u64>,
}

impl Input {
    /// The texts of the command line.
    pub(crate) fn given(texts: &[String]) -> Self {
        Self {
            name: String::new(),
            source: Box::new(given(texts.to_vec())),
            column: 0,
            left: Some(texts.len() as u64),
        }
    }

    /// Lines from standard input.
    pub(crate) fn stdin() -> Self {
        let name = "standard input";
        Self {
            name: format!("{name}, "),
            source: Box::new(lines(stdin().lock(), name)),
            column: 0,
            left: None,
        }
    }

    /// These rows of a table, counted from 0.
    pub(crate) fn table(table: &Table, rows: Range<u64>) -> Result<Self, DataError> {
        Ok(Self {
            name: format!("{}, ", table.path().display()),
            source: table.read(rows.start)?,
            column: table.column(),
            left: Some(rows.end.saturating_sub(rows.start)),
        })
    }

    /// The next `rows` rows, fewer at the end, and none after it.
    pub(crate) fn read(&mut self, rows: usize) -> Result<Option<Rows>, DataError> {
        let rows = match self.left {
            Some(left) => rows.min(usize::try_from(left).unwrap_or(rows)),
            None => rows,
        };
        if rows == 0 {
            return Ok(None);
        }
        let read = self.source.read(rows)?;
        if let (Some(left), Some(read)) = (&mut self.left, &read) {
            *left = left.saturating_sub(read.len() as u64);
        }
        Ok(read)
    }

    /// No rows, with the columns of this table.
    pub(crate) fn nothing(&self) -> Rows {
        Rows::empty(self.source.schema())
    }

    /// What messages call a row.
    pub(crate) fn place(&self, place: Place) -> String {
        match self.name.as_str() {
            "" => format!("text {}", place.row),
            name => format!("{name}{place}"),
        }
    }
}
