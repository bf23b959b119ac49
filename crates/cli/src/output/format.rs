//! The formats of the output: what they have in common.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use relprop_data::sink::concatenate;
use relprop_engine::{Extras, Group};

use super::FORMATS;

/// A format.
pub(crate) struct Format {
    /// Its name for `--format`.
    pub(crate) name: &'static str,
    /// Its description in `--help`.
    pub(crate) about: &'static str,
    /// The endings of a file's name that stand for it.
    pub(crate) endings: &'static [&'static str],
    /// Whether it can show explanations of pictures.
    pub(crate) pictures: bool,
    /// Whether it can show continuations.
    pub(crate) continuations: bool,
    /// Whether it can show the labels of a text's tokens.
    pub(crate) labellings: bool,
    /// Whether it shows other rule sets beside the one that was asked for.
    pub(crate) compares: bool,
    pub(crate) writes: Writes,
}

/// When a format is written.
pub(crate) enum Writes {
    /// As groups come; several files of it can be joined.
    AsItComes {
        /// Whether it is a table, which has the columns of its input.
        table: bool,
        /// Whether a table must go to a file.
        only_to_file: bool,
        sink: fn(Look) -> Box<dyn Sink>,
    },
    /// At the end: one document of all groups.
    AtTheEnd(fn(&[Group]) -> anyhow::Result<String>),
}

/// How results should look.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    /// How many columns a line of a terminal has.
    pub(crate) width: usize,
    /// Whether there are colors.
    pub(crate) colour: bool,
    /// What explanations have beside what all have.
    pub(crate) extras: Extras,
}

/// Writes groups, and makes one file of them.
pub(crate) trait Sink {
    /// A group as a complete file.
    fn file(&self, group: &Group) -> anyhow::Result<Vec<u8>>;

    /// How many bytes at the start of each file a joined file has only once.
    fn head(&self, _file: &mut dyn Read) -> io::Result<u64> {
        Ok(0)
    }

    /// One file of many.
    fn join(&self, files: &[PathBuf], out: &File) -> anyhow::Result<()> {
        let head = match files.first() {
            Some(first) => self.head(&mut File::open(first)?)?,
            None => 0,
        };
        Ok(concatenate(files, head, out)?)
    }
}

impl Format {
    /// The format of that name.
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        FORMATS.iter().copied().find(|format| format.name == name)
    }

    /// The format that the ending of `path` stands for. None if it stands for none.
    pub(crate) fn from_path(path: &Path) -> Option<&'static Self> {
        let ending = path.extension()?.to_str()?.to_ascii_lowercase();
        let mut formats = FORMATS.iter().copied();
        formats.find(|format| format.endings.contains(&ending.as_str()))
    }

    /// Whether it is a table.
    pub(crate) fn is_table(&self) -> bool {
        matches!(self.writes, Writes::AsItComes { table: true, .. })
    }

    /// Whether it must go to a file.
    pub(crate) fn only_to_file(&self) -> bool {
        matches!(
            self.writes,
            Writes::AsItComes {
                only_to_file: true,
                ..
            }
        )
    }

    /// Whether it is written at the end.
    pub(crate) fn is_document(&self) -> bool {
        matches!(self.writes, Writes::AtTheEnd(_))
    }
}
