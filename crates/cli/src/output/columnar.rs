//! Tables whose files cannot be joined byte by byte: a library joins them.

use std::fs::File;
use std::path::PathBuf;

use arrow_array::RecordBatch;
use arrow_schema::ArrowError;
use relprop_data::DataError;
use relprop_engine::{Extras, Group, columns_of};

use super::Sink;

/// A format, as two functions: one makes a file of rows, the other makes one file of several.
pub(super) struct Columnar {
    pub(super) extras: Extras,
    pub(super) encode: fn(&RecordBatch) -> Result<Vec<u8>, ArrowError>,
    pub(super) join: fn(&[PathBuf], &File) -> Result<(), DataError>,
}

impl Sink for Columnar {
    fn file(&self, group: &Group) -> anyhow::Result<Vec<u8>> {
        Ok((self.encode)(&columns_of(group, self.extras)?)?)
    }

    fn join(&self, files: &[PathBuf], out: &File) -> anyhow::Result<()> {
        Ok((self.join)(files, out)?)
    }
}
