//! How a table is stored.

use std::path::Path;

/// The format of a file of texts that is read. (Formats of explanations belong to the programs that
/// write them.)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TableFormat {
    /// `.txt`: each line is a text, without the white space at its ends. Blank lines are no rows.
    Lines,
    /// `.tsv`: fields between tabs, the first line names the columns. Double quotes are those of a text,
    /// unless the file shows that they are meant as in a `.csv`: docs/bulk.md says how.
    Tsv,
    /// `.csv`: fields between commas, double quotes, the first line names the columns.
    Csv,
    /// `.jsonl`: each line is a JSON object. Blank lines are no rows.
    JsonLines,
    /// `.parquet`
    Parquet,
    /// `.arrow`, `.feather`: Arrow's IPC format, as a file or as a stream.
    Arrow,
}

impl TableFormat {
    /// The format that the ending of `path` stands for, whatever its case. None if there is none.
    pub fn from_path(path: &Path) -> Option<TableFormat> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "txt" => Some(TableFormat::Lines),
            "tsv" => Some(TableFormat::Tsv),
            "csv" => Some(TableFormat::Csv),
            "jsonl" => Some(TableFormat::JsonLines),
            "parquet" => Some(TableFormat::Parquet),
            "arrow" | "feather" => Some(TableFormat::Arrow),
            _ => None,
        }
    }
}
