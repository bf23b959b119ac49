//! The texts of a run.

use std::io::stdin;
use std::ops::Range;
use std::path::Path;

use anyhow::anyhow;

use relprop_data::{DataError, Place, Rows, Source, Table, given, lines};
use relprop_engine::RowKind;

use crate::plan::{Destined, ExplainPlan};

/// The table at `path`. `column` names the texts, where it is given.
pub(crate) fn open_table(path: &Path, column: Option<&str>) -> anyhow::Result<Table> {
    Table::open(path, column).map_err(|error| match error {
        DataError::NoColumn { .. } | DataError::NotText { .. } => {
            anyhow!("{error}; name the column with the texts (--column)")
        }
        error => error.into(),
    })
}

/// The names of rows in messages.
enum Name {
    /// By their numbers, after this word; not at all if the message names them.
    Given(Option<&'static str>),
    /// By their places in this file.
    File(String),
}

/// A table to explain, or a part of one.
pub(crate) struct Input {
    name: Name,
    source: Box<dyn Source>,
    /// The column of the texts.
    pub(crate) column: usize,
    /// How many rows are left to read, where it is known.
    pub(crate) left: Option<u64>,
}

impl Input {
    /// The texts of a plan, in order, without the first `finished` rows of its table.
    pub(crate) fn of(
        plan: &ExplainPlan,
        destined: &Destined,
        finished: u64,
    ) -> Result<Vec<Self>, DataError> {
        let mut inputs = Vec::new();
        if !destined.texts.is_empty() {
            let name = match plan.content {
                RowKind::Pictures => None,
                RowKind::Texts { .. }
                | RowKind::Labelled { .. }
                | RowKind::Hypotheses(_)
                | RowKind::Answered(_)
                | RowKind::Written { .. }
                | RowKind::Prompts { .. } => Some("text "),
            };
            inputs.push(Self::given(&destined.texts, name));
        }
        if let (Some(table), Some(rows)) = (&destined.table, &plan.rows) {
            let start = rows.end.min(rows.start.saturating_add(finished));
            inputs.push(Self::table(table, start..rows.end)?);
        } else if destined.standard_input {
            inputs.push(Self::stdin());
        }
        Ok(inputs)
    }

    /// The texts of the command line. `name` is the word before the number of a text in messages;
    /// none if messages name the text itself.
    fn given(texts: &[String], name: Option<&'static str>) -> Self {
        Self {
            name: Name::Given(name),
            source: Box::new(given(texts.to_vec())),
            column: 0,
            left: Some(texts.len() as u64),
        }
    }

    /// Lines from standard input.
    fn stdin() -> Self {
        let name = "standard input";
        Self {
            name: Name::File(name.to_owned()),
            source: Box::new(lines(stdin().lock(), name)),
            column: 0,
            left: None,
        }
    }

    /// These rows of a table, counted from 0.
    fn table(table: &Table, rows: Range<u64>) -> Result<Self, DataError> {
        Ok(Self {
            name: Name::File(table.path().display().to_string()),
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

    /// What a message about a row starts with.
    pub(crate) fn place(&self, place: Place) -> String {
        match &self.name {
            Name::Given(None) => String::new(),
            Name::Given(Some(name)) => format!("{name}{}: ", place.row),
            Name::File(name) => format!("{name}, {place}: "),
        }
    }
}
