//! Corpora and texts from files.

use std::collections::{BTreeSet, HashMap};
use std::io::{Read, Seek};
use std::ops::Range;
use std::path::Path;

use super::rows::{self, LABEL, Row, Rows, TextColumns};
use super::{Corpus, Example};
use crate::records::open;
use crate::split::hold_out;
use crate::{DataError, TableFormat};

// What error messages ask for instead of a path that cannot be read.
const CORPUS: &str = "a folder with a train.tsv in it, or one .tsv, .csv or .jsonl file";
const LABELLED: &str = "a .tsv, .csv or .jsonl file";
const TEXTS: &str = "a .txt, .tsv, .csv or .jsonl file";

/// A text to explain or to measure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputText {
    /// The text, never empty, without white space at its ends.
    pub text: String,
    /// The label that the file gives it, as written there. None if it gives none.
    pub label: Option<String>,
    /// The pieces of it that decide the label, as ranges of characters; of the second text, if there is one. Empty if the
    /// file says none.
    pub evidence: Vec<Range<usize>>,
    /// The answer to it, with the space before it. None if the file gives none.
    pub answer: Option<String>,
    /// The second text, which is read after it. None if none was asked for.
    pub pair: Option<String>,
    /// The line of the file that the text starts on, counted from 1.
    pub line: u64,
}

/// The texts of a file, and the rows that had to be left out.
#[derive(Debug)]
pub struct Inputs {
    /// The good rows in the order of the file.
    pub texts: Vec<InputText>,
    /// One error for each row that was skipped, in the order of the file.
    pub skipped: Vec<DataError>,
}

/// Reads texts, with labels where there are some, from a `.txt`, `.tsv`, `.csv` or `.jsonl` file.
///
/// The columns are those of [`Corpus::read`], but `label` may be absent. Blank lines of a `.txt`
/// or `.jsonl` are no rows. A bad row does not end the reading: it is in [`Inputs::skipped`].
///
/// # Errors
///
/// If the file is absent, unreadable or of another format, has no text column, or no row at all.
pub fn read_texts(path: impl AsRef<Path>) -> Result<Inputs, DataError> {
    texts_of(path.as_ref(), TextColumns::default())
}

/// The same for a file with more columns.
///
/// # Errors
///
/// As [`read_texts`], and if there is no such column, or it says anything else than it should.
pub fn read_texts_with(path: impl AsRef<Path>, more: TextColumns) -> Result<Inputs, DataError> {
    texts_of(path.as_ref(), more)
}

fn texts_of(path: &Path, more: TextColumns) -> Result<Inputs, DataError> {
    let source = open(path, TEXTS)?;
    let format = text_format(path).ok_or_else(|| unsupported(path, TEXTS))?;
    if !more.is_empty() && format == TableFormat::Lines {
        return Err(unsupported(path, LABELLED));
    }
    read_texts_from(source, path, format, more)
}

/// The same from any source. `name` is its name in errors.
fn read_texts_from(
    source: impl Read + Seek,
    name: impl AsRef<Path>,
    format: TableFormat,
    more: TextColumns,
) -> Result<Inputs, DataError> {
    let mut inputs = Inputs {
        texts: Vec::new(),
        skipped: Vec::new(),
    };
    for row in rows::read(source, name.as_ref(), format, more)?.rows {
        match row {
            Ok(row) => inputs.texts.push(InputText {
                text: row.text,
                label: row.label,
                evidence: row.evidence,
                answer: row.answer,
                pair: row.pair,
                line: row.line,
            }),
            Err(error) => inputs.skipped.push(error),
        }
    }
    Ok(inputs)
}

/// Does the work of [`Corpus::read`].
pub(super) fn read_corpus(path: &Path) -> Result<Corpus, DataError> {
    if path.is_dir() {
        read_folder(path)
    } else {
        read_file(path)
    }
}

fn read_folder(folder: &Path) -> Result<Corpus, DataError> {
    let path = folder.join("train.tsv");
    let rows = labeled_rows(&path)?;
    let labels = Labels::of(&rows, &path)?;
    let mut train = labels.examples(rows, &path)?;

    let dev_path = folder.join("dev.tsv");
    let dev = match labeled_rows(&dev_path) {
        Err(DataError::Missing { .. }) => {
            let [dev] = hold_out(&mut train, &path)?;
            dev
        }
        rows => labels.examples(rows?, &dev_path)?,
    };

    let test_path = folder.join("test.tsv");
    let test = match labeled_rows(&test_path) {
        Err(DataError::Missing { .. }) => Vec::new(),
        // As GLUE publishes it.
        Err(DataError::NoColumn { wanted, .. }) if wanted == quoted(LABEL) => Vec::new(),
        rows => labels.examples(rows?, &test_path)?,
    };
    Ok(Corpus {
        labels: labels.names,
        train,
        dev,
        test,
    })
}

fn read_file(path: &Path) -> Result<Corpus, DataError> {
    let rows = labeled_rows(path)?;
    let labels = Labels::of(&rows, path)?;
    let mut train = labels.examples(rows, path)?;
    let [dev, test] = hold_out(&mut train, path)?;
    Ok(Corpus {
        labels: labels.names,
        train,
        dev,
        test,
    })
}

/// All rows of a file that has a label column, or the first error among them.
fn labeled_rows(path: &Path) -> Result<Vec<Row>, DataError> {
    let source = open(path, CORPUS)?;
    let format = text_format(path)
        .filter(|format| *format != TableFormat::Lines)
        .ok_or_else(|| unsupported(path, LABELLED))?;
    let Rows { rows, columns } = rows::read(source, path, format, TextColumns::default())?;
    if let Some(found) = columns
        && !found.iter().any(|name| name == LABEL)
    {
        return Err(DataError::NoColumn {
            path: path.into(),
            wanted: quoted(LABEL),
            found,
        });
    }
    rows.into_iter().collect()
}

/// The labels of a corpus, as the file has them, and their names.
struct Labels {
    /// As written in the file. The position is the label's number.
    written: Vec<String>,
    /// The names to show, in the same order.
    names: Vec<String>,
}

impl Labels {
    /// Collects the labels of the training rows.
    fn of(rows: &[Row], path: &Path) -> Result<Labels, DataError> {
        let mut distinct = BTreeSet::new();
        for row in rows {
            distinct.insert(label_of(row, path)?);
        }
        let mut written: Vec<String> = distinct.into_iter().map(str::to_owned).collect();
        if let [label] = written.as_slice() {
            return Err(DataError::OneLabel {
                path: path.into(),
                label: label.clone(),
            });
        }
        // "10" comes before "2" in the alphabet, so labels that are integers are sorted as numbers.
        let numbers: Vec<String> = (0..written.len())
            .map(|number| number.to_string())
            .collect();
        if numbers.iter().all(|number| written.contains(number)) {
            written = numbers;
        }
        let names = match written.as_slice() {
            [no, yes] if no == "0" && yes == "1" => vec!["negative".into(), "positive".into()],
            _ => written.clone(),
        };
        Ok(Labels { written, names })
    }

    /// Gives every row the number of its label.
    fn examples(&self, rows: Vec<Row>, path: &Path) -> Result<Vec<Example>, DataError> {
        let numbers: HashMap<&str, usize> = self
            .written
            .iter()
            .enumerate()
            .map(|(number, label)| (label.as_str(), number))
            .collect();
        rows.into_iter()
            .map(|row| {
                let written = label_of(&row, path)?;
                let label = *numbers
                    .get(written)
                    .ok_or_else(|| DataError::UnknownLabel {
                        place: format!("{}, line {}", path.display(), row.line),
                        label: written.to_owned(),
                        known: self.written.clone(),
                    })?;
                Ok(Example {
                    text: row.text,
                    label,
                    evidence: Vec::new(),
                    learned: Vec::new(),
                })
            })
            .collect()
    }
}

fn label_of<'a>(row: &'a Row, path: &Path) -> Result<&'a str, DataError> {
    row.label.as_deref().ok_or_else(|| DataError::NoLabel {
        path: path.into(),
        line: row.line,
    })
}

fn quoted(name: &str) -> String {
    format!("`{name}`")
}

/// The format of a text file. None for anything else.
fn text_format(path: &Path) -> Option<TableFormat> {
    let is_text =
        |format: &TableFormat| !matches!(format, TableFormat::Parquet | TableFormat::Arrow);
    TableFormat::from_path(path).filter(is_text)
}

fn unsupported(path: &Path, wanted: &'static str) -> DataError {
    DataError::UnsupportedExtension {
        path: path.into(),
        wanted,
    }
}

#[cfg(test)]
mod tests;
