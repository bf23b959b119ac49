//! Where explained groups go.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;
use relprop_data::BadRow;

use super::Group;
use super::document::Document;
use super::parts::{Parts, bad_lines};
use super::sink::Sink;
use crate::output::Output;

/// Standard output, one document, or a file that is made of finished parts.
pub(crate) enum Destination {
    /// Written as it comes.
    Stream {
        output: Output,
        sink: Box<dyn Sink>,
        /// Whether something is written already.
        started: bool,
        errors: Option<File>,
    },
    /// Collected, and written at the end.
    Document {
        output: Output,
        document: Document,
        errors: Option<File>,
    },
    /// Kept in parts, of which the file is made at the end.
    Parts {
        parts: Parts,
        sink: Box<dyn Sink>,
        errors: Option<PathBuf>,
    },
}

impl Destination {
    /// How many groups an earlier run has finished.
    pub(crate) fn groups(&self) -> u64 {
        match self {
            Self::Parts { parts, .. } => parts.groups(),
            Self::Stream { .. } | Self::Document { .. } => 0,
        }
    }

    /// How many bad rows were in them.
    pub(crate) fn bad(&self) -> anyhow::Result<u64> {
        match self {
            Self::Parts { parts, .. } => parts.bad(),
            Self::Stream { .. } | Self::Document { .. } => Ok(0),
        }
    }

    /// Writes a group, or keeps it until it can be written.
    pub(crate) fn put(&mut self, group: Group) -> anyhow::Result<()> {
        match self {
            Self::Stream {
                output,
                sink,
                started,
                errors,
            } => {
                let file = sink.file(&group)?;
                let head = match started {
                    true => sink.head(&mut file.as_slice())?,
                    false => 0,
                };
                *started = true;
                output.write(&file[usize::try_from(head)?..])?;
                keep(errors, &group.bad)
            }
            Self::Document {
                document, errors, ..
            } => {
                keep(errors, &group.bad)?;
                document.add(group)
            }
            Self::Parts { parts, sink, .. } => parts.put(&sink.file(&group)?, &group.bad),
        }
    }

    /// Completes the output.
    pub(crate) fn finish(self) -> anyhow::Result<()> {
        match self {
            Self::Stream { output, .. } => output.finish(),
            // A document of nothing would say nothing.
            Self::Document { document, .. } if document.is_empty() => Ok(()),
            Self::Document {
                mut output,
                document,
                ..
            } => {
                output.write(document.text()?)?;
                output.finish()
            }
            Self::Parts {
                parts,
                sink,
                errors,
            } => parts.finish(sink.as_ref(), errors.as_deref()),
        }
    }
}

/// Adds bad rows to their file, if there is one.
fn keep(errors: &mut Option<File>, bad: &[BadRow]) -> anyhow::Result<()> {
    match errors {
        Some(file) => file
            .write_all(bad_lines(bad).as_bytes())
            .context("the file of --errors"),
        None => Ok(()),
    }
}
