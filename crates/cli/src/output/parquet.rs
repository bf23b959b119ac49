//! A Parquet file.

use relprop_data::sink::parquet;

use super::columnar::Columnar;
use super::{Format, Writes};

pub(super) const FORMAT: Format = Format {
    name: "parquet",
    about: "A table: the columns of the input, then those of the explanation",
    endings: &["parquet"],
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
                encode: parquet::encode,
                join: parquet::join,
            })
        },
    },
};
