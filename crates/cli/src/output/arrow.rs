//! A file in Arrow's IPC format.

use relprop_data::sink::arrow;

use super::columnar::Columnar;
use super::{Format, Writes};

pub(super) const FORMAT: Format = Format {
    name: "arrow",
    about: "The same table in Arrow's IPC format",
    endings: &["arrow", "feather"],
    pictures: false,
    continuations: false,
    labellings: false,
    compares: false,
    writes: Writes::AsItComes {
        table: true,
        only_to_file: true,
        sink: |look| {
            Box::new(Columnar {
                extras: look.extras,
                encode: arrow::encode,
                join: arrow::join,
            })
        },
    },
};
