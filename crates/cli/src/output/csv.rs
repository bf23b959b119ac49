//! A CSV file.

use std::io::{self, Read};

use relprop_data::sink::csv;
use relprop_engine::{Extras, Group, columns_of};

use super::{Format, Sink, Writes};

pub(super) const FORMAT: Format = Format {
    name: "csv",
    about: "A table: the columns of the input, then those of the explanation, lists as JSON",
    endings: &["csv"],
    pictures: false,
    continuations: false,
    labellings: false,
    compares: false,
    writes: Writes::AsItComes {
        table: true,
        only_to_file: false,
        sink: |look| {
            Box::new(Csv {
                extras: look.extras,
            })
        },
    },
};

struct Csv {
    extras: Extras,
}

impl Sink for Csv {
    fn file(&self, group: &Group) -> anyhow::Result<Vec<u8>> {
        Ok(csv::encode(&columns_of(group, self.extras)?)?)
    }

    fn head(&self, file: &mut dyn Read) -> io::Result<u64> {
        csv::head(file)
    }
}
