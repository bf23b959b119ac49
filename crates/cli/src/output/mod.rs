//! Formats of the output, one in each file, and the table that lists them. To add one, write its
//! file and add its line to [`FORMATS`].

mod arrow;
mod columnar;
mod csv;
mod format;
mod html;
mod json;
mod jsonl;
mod parquet;
mod stream;
mod svg;
mod terminal;

pub(crate) use format::{Format, Look, Sink, Writes};
pub(crate) use stream::{Output, is_file};

/// Every format, in the order in which users are shown them.
pub(crate) const FORMATS: &[&Format] = &[
    &terminal::FORMAT,
    &json::FORMAT,
    &jsonl::FORMAT,
    &csv::FORMAT,
    &html::FORMAT,
    &svg::FORMAT,
    &parquet::FORMAT,
    &arrow::FORMAT,
];
