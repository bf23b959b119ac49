//! The output of explained groups.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use relprop_data::BadRow;

use relprop_engine::Group;

use crate::output::{Look, Output, Sink, Writes, is_file};
use crate::parts::{Parts, bad_lines};
use crate::plan::{Destined, ExplainPlan};

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
        document: fn(&[Group]) -> anyhow::Result<String>,
        groups: Vec<Group>,
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
    /// Opens the output of a plan. None if it is complete already.
    pub(crate) fn open(plan: &ExplainPlan, destined: &Destined) -> anyhow::Result<Option<Self>> {
        let out = destined.out.as_deref();
        let errors = || {
            let path = destined.errors.as_deref();
            let create =
                |path: &Path| File::create(path).with_context(|| path.display().to_string());
            path.map(create).transpose()
        };
        let make_sink = match plan.format.writes {
            Writes::AtTheEnd(document) => {
                return Ok(Some(Self::Document {
                    output: Output::open(out)?,
                    document,
                    groups: Vec::new(),
                    errors: errors()?,
                }));
            }
            Writes::AsItComes { sink, .. } => sink,
        };
        let sink = |width, colour| {
            make_sink(Look {
                width,
                colour,
                extras: (&plan.question).into(),
            })
        };
        let Some(file) = out.filter(|path| is_file(path)) else {
            let output = Output::open(out)?;
            return Ok(Some(Self::Stream {
                sink: sink(output.width, output.colour),
                output,
                started: false,
                errors: errors()?,
            }));
        };
        let parts = Parts::open(file, plan, destined.resume)?;
        Ok(parts.map(|parts| Self::Parts {
            parts,
            sink: sink(80, false),
            errors: destined.errors.clone(),
        }))
    }

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
            Self::Document { groups, errors, .. } => {
                keep(errors, &group.bad)?;
                groups.push(group);
                Ok(())
            }
            Self::Parts { parts, sink, .. } => parts.put(&sink.file(&group)?, &group.bad),
        }
    }

    /// Completes the output.
    pub(crate) fn finish(self) -> anyhow::Result<()> {
        match self {
            Self::Stream { output, .. } => output.finish(),
            // No document is written if nothing was explained.
            Self::Document { groups, .. } if groups.iter().all(|group| group.found.is_empty()) => {
                Ok(())
            }
            Self::Document {
                mut output,
                document,
                groups,
                ..
            } => {
                output.write(document(&groups)?)?;
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
