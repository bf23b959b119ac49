//! How a table is written.

use std::path::Path;

/// How a file of texts is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// `.txt`: a line is a text, white space at its ends taken off. Blank lines are no rows.
    Lines,
    /// `.tsv`: fields between tabs, no quoting, the first line names the columns.
    Tsv,
    /// `.csv`: fields between commas, double quotes, the first line names the columns.
    Csv,
    /// `.jsonl`: a line is a JSON object. Blank lines are no rows.
    JsonLines,
    /// `.parquet`
    Parquet,
    /// `.arrow`, `.feather`: Arrow's IPC format, as a file or as a stream.
    Arrow,
}

impl Format {
    /// The format that the ending of `path` stands for, whatever its case. None if there is none.
    pub fn from_path(path: &Path) -> Option<Format> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "txt" => Some(Format::Lines),
            "tsv" => Some(Format::Tsv),
            "csv" => Some(Format::Csv),
            "jsonl" => Some(Format::JsonLines),
            "parquet" => Some(Format::Parquet),
            "arrow" | "feather" => Some(Format::Arrow),
            _ => None,
        }
    }
}
