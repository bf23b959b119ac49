//! A file in Arrow's IPC format.

use std::fs::File;
use std::path::PathBuf;

use relprop_data::sink::arrow;
use relprop_engine::{Group, columns_of};

use super::{Format, Sink, Writes};

pub(super) const FORMAT: Format = Format {
    name: "arrow",
    about: "The same table in Arrow's IPC format",
    endings: &["arrow", "feather"],
    pictures: false,
    continuations: false,
    compares: false,
    writes: Writes::AsItComes {
        table: true,
        only_to_file: true,
        sink: |look| {
            Box::new(Arrow {
                ledger: look.ledger,
            })
        },
    },
};

struct Arrow {
    ledger: bool,
}

impl Sink for Arrow {
    fn file(&self, group: &Group) -> anyhow::Result<Vec<u8>> {
        Ok(arrow::encode(&columns_of(group, self.ledger)?)?)
    }

    fn join(&self, files: &[PathBuf], out: &File) -> anyhow::Result<()> {
        Ok(arrow::join(files, out)?)
    }
}
