//! A table that is explained as it is read: each group of its rows with their explanations beside them.

use std::num::NonZeroUsize;
use std::slice;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{Schema, SchemaRef};
use relprop_data::{Rows, Source};
use relprop_explain::Explainer;
use relprop_explain::batching::Passes;
use serde::{Deserialize, Serialize};

use crate::columns::columns_with_errors;
use crate::{EngineError, Extras, RowKind, Worker, columns_of};

/// What becomes of a row that cannot be explained.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BadRows {
    /// It ends the work with an error.
    Raise,
    /// It is left out.
    Skip,
    /// It stays, with null in the columns of the explanation; a column `error` says why.
    #[default]
    Column,
}

/// How a table is explained.
#[derive(Clone, Debug)]
pub struct TablePlan {
    /// What explains its rows.
    pub explainer: Explainer,
    /// What its rows hold.
    pub content: RowKind,
    /// Whether texts are put through the chat template.
    pub chat: bool,
    /// How many rows are explained, and held in memory, at a time.
    pub group: NonZeroUsize,
    /// What becomes of a row that cannot be explained.
    pub bad: BadRows,
}

/// The rows of a table with their explanations, a group at a time. The columns are known before the first
/// row is explained, and the facts that all rows share stand in the metadata under `relprop`.
#[derive(Debug)]
pub struct ExplainedTable<S> {
    source: S,
    column: usize,
    plan: TablePlan,
    passes: Passes,
    schema: SchemaRef,
}

impl<S: Source> ExplainedTable<S> {
    /// Explains the texts in `column` of `source`, in `passes` that can be cancelled.
    ///
    /// # Errors
    ///
    /// [`EngineError::NotByRow`] if what is asked has no explanation for each row,
    /// [`EngineError::ColumnTaken`] and [`EngineError::NoColumn`] if the columns do not fit.
    pub fn new(
        source: S,
        column: usize,
        plan: TablePlan,
        passes: Passes,
    ) -> Result<Self, EngineError> {
        if !plan.content.is_compared() {
            return Err(EngineError::NotByRow);
        }
        let mut table = Self {
            schema: Arc::clone(source.schema()),
            source,
            column,
            plan,
            passes,
        };
        let nothing = table.explain(Rows::empty(&table.schema))?;
        let facts = serde_json::to_string(&table.plan.explainer.facts())?;
        let schema = Schema::clone(&nothing.schema());
        let mut metadata = schema.metadata().clone();
        metadata.insert("relprop".to_owned(), facts);
        table.schema = Arc::new(schema.with_metadata(metadata));
        Ok(table)
    }

    /// The columns of the result.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The next rows; none at the end.
    ///
    /// # Errors
    ///
    /// If the table cannot be read, if the device fails or the work was cancelled, and
    /// [`EngineError::BadRow`] if bad rows end the work.
    pub fn read(&mut self) -> Result<Option<RecordBatch>, EngineError> {
        let Some(rows) = self.source.read(self.plan.group.get())? else {
            return Ok(None);
        };
        let batch = self.explain(rows)?;
        let columns = batch.columns().to_vec();
        Ok(Some(RecordBatch::try_new(
            Arc::clone(&self.schema),
            columns,
        )?))
    }

    fn explain(&mut self, rows: Rows) -> Result<RecordBatch, EngineError> {
        let TablePlan {
            explainer,
            content,
            chat,
            bad,
            ..
        } = &self.plan;
        let extras = Extras::from(explainer.plan());
        let (batch, places) = (rows.batch.clone(), rows.places.clone());
        let worker = Worker::new(slice::from_ref(explainer), content.clone());
        let mut worker = worker.chatting(*chat).in_passes(self.passes.clone());
        let group = worker.explain(rows, self.column, |_| ())?;
        match (bad, group.bad.first()) {
            (BadRows::Raise, Some(row)) => Err(EngineError::BadRow {
                row: row.place.row,
                reason: row.reason.clone(),
            }),
            (BadRows::Raise | BadRows::Skip, _) => columns_of(&group, extras),
            (BadRows::Column, _) => columns_with_errors(&batch, &places, &group, extras),
        }
    }
}
