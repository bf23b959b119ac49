//! A Parquet file.

use std::fs::File;
use std::path::PathBuf;

use relprop_data::sink::parquet;
use relprop_engine::{Group, columns_of};

use super::{Format, Sink, Writes};

pub(super) const FORMAT: Format = Format {
    name: "parquet",
    about: "A table: the columns of the input, then those of the explanation",
    endings: &["parquet"],
    pictures: false,
    continuations: false,
    compares: false,
    writes: Writes::AsItComes {
        table: true,
        only_to_file: true,
        sink: |look| {
            Box::new(Parquet {
                ledger: look.ledger,
            })
        },
    },
};

struct Parquet {
    ledger: bool,
}

impl Sink for Parquet {
    fn file(&self, group: &Group) -> anyhow::Result<Vec<u8>> {
        Ok(parquet::encode(&columns_of(group, self.ledger)?)?)
    }

    fn join(&self, files: &[PathBuf], out: &File) -> anyhow::Result<()> {
        Ok(parquet::join(files, out)?)
    }
}
