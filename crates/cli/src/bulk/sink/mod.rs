//! How explained groups are written, in each format.

mod columnar;
mod lines;
mod picture;

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;

use relprop_data::sink::concatenate;

use super::Group;
use crate::args::Format;

pub(crate) use lines::json_lines;

/// Writes groups, and makes one file of them.
pub(crate) trait Sink {
    /// A group as a file that can be read by itself.
    fn file(&self, group: &Group) -> anyhow::Result<Vec<u8>>;

    /// How many bytes at the start of a file stand in a joined file only once.
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

/// The sink for a format. `ledger` says whether explanations have one. Heat maps are `width` columns
/// wide.
pub(crate) fn sink(format: Format, ledger: bool, width: usize, colour: bool) -> Box<dyn Sink> {
    match format {
        Format::Ansi => Box::new(picture::HeatMaps { width, colour }),
        // Of these, JSON and HTML are documents, which are no sinks: see `Document`.
        Format::Json | Format::Html | Format::Jsonl => Box::new(lines::JsonLines),
        Format::Csv => Box::new(columnar::Csv { ledger }),
        Format::Parquet => Box::new(columnar::Parquet { ledger }),
        Format::Arrow => Box::new(columnar::Arrow { ledger }),
    }
}
