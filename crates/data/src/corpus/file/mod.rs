//! Corpora and texts from files.

use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::Format;

use super::rows::{self, Row, Rows, unreadable};
use super::{Corpus, CorpusError, Example};

/// Decides which rows are held out where the files do not say. Never change it: the held-out rows
/// of everybody's corpora would move.
const SPLIT_SEED: u64 = 0;

/// The column that tells a labeled file from an unlabeled one.
const LABEL: &str = "`label`";

// What error messages offer in place of a path that will not do.
const CORPUS: &str = "a folder with a train.tsv in it, or one .tsv, .csv or .jsonl file";
const LABELLED: &str = "a .tsv, .csv or .jsonl file";
const TEXTS: &str = "a .txt, .tsv, .csv or .jsonl file";

/// A text that someone wants explained or measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputText {
    /// The text, never empty, without white space at its ends.
    pub text: String,
    /// The label that the file gives it, as written there. None if it gives none.
    pub label: Option<String>,
    /// The line of the file that the text starts on, counted from 1.
    pub line: u64,
}

/// The texts of a file, and what had to be left out.
#[derive(Debug)]
pub struct Inputs {
    /// The good rows in the order of the file.
    pub texts: Vec<InputText>,
    /// One error for each row that was skipped, in the order of the file.
    pub skipped: Vec<CorpusError>,
}

/// Reads texts, with labels where there are some, from a `.txt`, `.tsv`, `.csv` or `.jsonl` file.
///
/// The columns are those of [`Corpus::read`], but `label` may be absent. Blank lines of a `.txt`
/// or `.jsonl` are no rows. A bad row does not end the reading: it is in [`Inputs::skipped`].
///
/// # Errors
///
/// If the file is absent, unreadable or of another format, has no text column, or no row at all.
pub fn read_texts(path: impl AsRef<Path>) -> Result<Inputs, CorpusError> {
    let path = path.as_ref();
    let source = open(path, TEXTS)?;
    let format = text_format(path).ok_or_else(|| unsupported(path, TEXTS))?;
    read_texts_from(source, path, format)
}

/// Like [`read_texts`], from any source. `name` is what errors call it.
fn read_texts_from(
    source: impl Read,
    name: impl AsRef<Path>,
    format: Format,
) -> Result<Inputs, CorpusError> {
    let mut inputs = Inputs {
        texts: Vec::new(),
        skipped: Vec::new(),
    };
    for row in rows::read(source, name.as_ref(), format)?.rows {
        match row {
            Ok(Row { text, label, line }) => inputs.texts.push(InputText { text, label, line }),
            Err(error) => inputs.skipped.push(error),
        }
    }
    Ok(inputs)
}

/// Does the work of [`Corpus::read`].
pub(super) fn read_corpus(path: &Path) -> Result<Corpus, CorpusError> {
    if path.is_dir() {
        read_folder(path)
    } else {
        read_file(path)
    }
}

fn read_folder(folder: &Path) -> Result<Corpus, CorpusError> {
    let path = folder.join("train.tsv");
    let rows = labeled_rows(&path)?;
    let labels = Labels::of(&rows, &path)?;
    let mut train = labels.examples(rows, &path)?;

    let dev_path = folder.join("dev.tsv");
    let dev = match labeled_rows(&dev_path) {
        Err(CorpusError::Missing { .. }) => {
            let [dev] = hold_out(&mut train, &path)?;
            dev
        }
        rows => labels.examples(rows?, &dev_path)?,
    };

    let test_path = folder.join("test.tsv");
    let test = match labeled_rows(&test_path) {
        Err(CorpusError::Missing { .. } | CorpusError::MissingColumn { wanted: LABEL, .. }) => {
            Vec::new()
        }
        rows => labels.examples(rows?, &test_path)?,
    };
    Ok(Corpus {
        labels: labels.names,
        train,
        dev,
        test,
    })
}

fn read_file(path: &Path) -> Result<Corpus, CorpusError> {
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
fn labeled_rows(path: &Path) -> Result<Vec<Row>, CorpusError> {
    let source = open(path, CORPUS)?;
    let format = text_format(path)
        .filter(|format| *format != Format::Lines)
        .ok_or_else(|| unsupported(path, LABELLED))?;
    let Rows { rows, columns } = rows::read(source, path, format)?;
    if let Some(found) = columns
        && !found.iter().any(|name| name == "label")
    {
        return Err(CorpusError::MissingColumn {
            path: path.into(),
            wanted: LABEL,
            found,
        });
    }
    rows.into_iter().collect()
}

/// Shuffles the examples and takes as many tenths of them as asked for.
fn hold_out<const TENTHS: usize>(
    examples: &mut Vec<Example>,
    path: &Path,
) -> Result<[Vec<Example>; TENTHS], CorpusError> {
    let (rows, needed) = (examples.len(), 10);
    if rows < needed {
        return Err(CorpusError::TooFewRows {
            path: path.into(),
            rows,
            needed,
        });
    }
    examples.shuffle(&mut ChaCha8Rng::seed_from_u64(SPLIT_SEED));
    let tenth = rows / 10;
    Ok(std::array::from_fn(|_| {
        examples.split_off(examples.len() - tenth)
    }))
}

/// The labels of a corpus: what stands in the file, and what it is called.
struct Labels {
    /// As written in the file. The position is the label's number.
    written: Vec<String>,
    /// The names to show, in the same order.
    names: Vec<String>,
}

impl Labels {
    /// Collects the labels of the training rows.
    fn of(rows: &[Row], path: &Path) -> Result<Labels, CorpusError> {
        let mut distinct = BTreeSet::new();
        for row in rows {
            distinct.insert(label_of(row, path)?);
        }
        let mut written: Vec<String> = distinct.into_iter().map(str::to_owned).collect();
        if let [label] = written.as_slice() {
            return Err(CorpusError::OneLabel {
                path: path.into(),
                label: label.clone(),
            });
        }
        // "10" comes before "2" in the alphabet, so integers are written anew.
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
    fn examples(&self, rows: Vec<Row>, path: &Path) -> Result<Vec<Example>, CorpusError> {
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
                    .ok_or_else(|| CorpusError::UnknownLabel {
                        path: path.into(),
                        line: row.line,
                        label: written.to_owned(),
                        known: self.written.clone(),
                    })?;
                Ok(Example {
                    text: row.text,
                    label,
                    evidence: Vec::new(),
                })
            })
            .collect()
    }
}

fn label_of<'a>(row: &'a Row, path: &Path) -> Result<&'a str, CorpusError> {
    row.label.as_deref().ok_or_else(|| CorpusError::NoLabel {
        path: path.into(),
        line: row.line,
    })
}

fn open(path: &Path, wanted: &'static str) -> Result<File, CorpusError> {
    File::open(path).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => CorpusError::Missing {
            path: path.into(),
            wanted,
        },
        _ => unreadable(source, path),
    })
}

/// The format of a text file. None for anything else.
fn text_format(path: &Path) -> Option<Format> {
    let is_text = |format: &Format| !matches!(format, Format::Parquet | Format::Arrow);
    Format::from_path(path).filter(is_text)
}

fn unsupported(path: &Path, wanted: &'static str) -> CorpusError {
    CorpusError::UnsupportedExtension {
        path: path.into(),
        wanted,
    }
}

#[cfg(test)]
mod tests;
