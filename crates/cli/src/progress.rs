//! The progress of a run, and its messages to the user.

use std::time::Instant;

use anyhow::{anyhow, bail};
use indicatif::{ProgressBar, ProgressStyle};

use relprop_engine::{Found, Group, RowKind};

use crate::input::Input;
use crate::plan::ExplainPlan;
use crate::say::say;

/// A run with fewer texts is too short for a bar.
const FEW: u64 = 32;

/// Counts rows, and shows a bar on standard error where that is a terminal.
pub(crate) struct Progress {
    bar: ProgressBar,
    start: Instant,
    /// How many rows are done, including those of earlier runs and bad rows.
    rows: u64,
    /// How many of these rows this run has read.
    read: u64,
    bad: u64,
    /// How many rows there are, where it is known.
    total: Option<u64>,
    /// Why the last bad row is bad.
    reason: String,
    /// What a row is.
    things: &'static str,
    /// How many tokens are generated for a text.
    tokens: Option<usize>,
}

impl Progress {
    /// Starts after `finished` rows of an earlier run, of which `bad` were bad.
    pub(crate) fn new(plan: &ExplainPlan, finished: u64, bad: u64, inputs: &[Input]) -> Self {
        let left: Option<u64> = inputs.iter().map(|input| input.left).sum();
        let total = left.map(|left| finished + left);
        let bar = match total {
            Some(total) if total <= FEW => ProgressBar::hidden(),
            Some(total) => ProgressBar::new(total).with_style(style(
                "{wide_bar} {human_pos}/{human_len} texts, {per_sec:>8}, {eta} left",
            )),
            None => ProgressBar::no_length().with_style(style("{human_pos} texts, {per_sec:>8}")),
        };
        bar.set_position(finished);
        bar.reset_eta();
        Self {
            bar,
            start: Instant::now(),
            rows: finished,
            read: 0,
            bad,
            total,
            reason: String::new(),
            things: match plan.content {
                RowKind::Pictures => "pictures",
                RowKind::Texts { .. }
                | RowKind::Labelled { .. }
                | RowKind::Hypotheses(_)
                | RowKind::Answered(_)
                | RowKind::Written { .. }
                | RowKind::Prompts { .. } => "texts",
            },
            tokens: match plan.content {
                RowKind::Prompts { tokens, .. } | RowKind::Written { tokens, .. } => Some(tokens),
                RowKind::Texts { .. }
                | RowKind::Labelled { .. }
                | RowKind::Hypotheses(_)
                | RowKind::Answered(_)
                | RowKind::Pictures => None,
            },
        }
    }

    /// Whether there was no row at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Says which texts were cut, and with `bad_rows` which rows were bad.
    pub(crate) fn warn(&mut self, group: &Group, input: &Input, bad_rows: bool) {
        self.bad += group.bad.len() as u64;
        if let Some(row) = group.bad.last() {
            self.reason.clone_from(&row.reason);
        }
        let cut = group.cut.iter().map(|(place, dropped, left)| {
            let (place, from) = (input.place(*place), group.cut_from);
            format!(
                "{place}{dropped} tokens dropped from the {from}; the model reads at most {left}"
            )
        });
        // If there is only one text, its fault is the error that the program ends with.
        let bad = group
            .bad
            .iter()
            .filter(|_| bad_rows && self.total != Some(1))
            .map(|row| {
                let place = input.place(row.place);
                format!("{place}{}; skipped", row.reason)
            });
        let ended = group.found.iter().filter_map(|found| match (found, self.tokens) {
            (Found::Continuation(found), Some(tokens)) if found.steps.len() < tokens => {
                Some(format!(
                    "the text ends after {} of {tokens} tokens: the model ends it, or has no position \
                     for more",
                    found.steps.len()
                ))
            }
            _ => None,
        });
        let messages: Vec<_> = cut.chain(bad).chain(ended).collect();
        if !messages.is_empty() {
            self.say(&messages.join("\n"));
        }
    }

    /// Says something above the bar.
    pub(crate) fn say(&self, message: &str) {
        self.bar.suspend(|| say(message));
    }

    /// Hides the bar while something is written.
    pub(crate) fn suspend<T>(&self, write: impl FnOnce() -> T) -> T {
        self.bar.suspend(write)
    }

    /// Counts `rows` more.
    pub(crate) fn advance(&mut self, rows: u64) {
        self.rows += rows;
        self.read += rows;
        self.bar.set_position(self.rows);
    }

    /// Says what was done, in full with `report`.
    ///
    /// # Errors
    ///
    /// If there were texts and none could be explained.
    pub(crate) fn finish(self, report: bool) -> anyhow::Result<()> {
        self.bar.finish_and_clear();
        let Self {
            rows,
            bad,
            read,
            things,
            ..
        } = self;
        match (rows, bad) {
            (0, _) => eprintln!("there are no {things}"),
            (1, 1) if !self.reason.is_empty() => return Err(anyhow!(self.reason)),
            _ if bad == rows => bail!("none of the {rows} {things} could be explained"),
            (_, 1..) => eprintln!("{bad} of {rows} {things} were skipped"),
            (_, 0) => {}
        }
        if report {
            let seconds = self.start.elapsed().as_secs_f64();
            let rate = read as f64 / seconds.max(1e-9);
            eprintln!("{read} {things} in {seconds:.1} s, {rate:.0} {things} a second");
        }
        Ok(())
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or(ProgressStyle::default_bar())
}
