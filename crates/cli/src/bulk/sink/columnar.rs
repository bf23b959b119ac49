//! Tables: the columns of the input, then those of the explanations.

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;

use relprop_data::{sink::arrow, sink::csv, sink::parquet};

use super::Sink;
use crate::bulk::{Group, columns};

/// A CSV file.
pub(super) struct Csv {
    pub(super) ledger: bool,
}

/// A Parquet file.
pub(super) struct Parquet {
    pub(super) ledger: bool,
}

/// A file in Arrow's IPC format.
pub(super) struct Arrow {
    pub(super) ledger: bool,
}

impl Sink for Csv {
    fn file(&self, group: &Group) -> anyhow::Result<Vec<u8>> {
        Ok(csv::encode(&columns::table(group, self.ledger)?)?)
    }

    fn head(&self, file: &mut dyn Read) -> io::Result<u64> {
        csv::head(file)
    }
}

impl Sink for Parquet {
    fn file(&self, group: &Group) -> anyhow::Result<Vec<u8>> {
        Ok(parquet::encode(&columns::table(group, self.ledger)?)?)
    }

    fn join(&self, files: &[PathBuf], out: &File) -> anyhow::Result<()> {
        Ok(parquet::join(files, out)?)
    }
}

impl Sink for Arrow {
    fn file(&self, group: &Group) -> anyhow::Result<Vec<u8>> {
        Ok(arrow::encode(&columns::table(group, self.ledger)?)?)
    }

    fn join(&self, files: &[PathBuf], out: &File) -> anyhow::Result<()> {
        Ok(arrow::join(files, out)?)
    }
}
