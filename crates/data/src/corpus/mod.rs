//! Corpora: labeled texts, or pictures, to train and to measure on.

mod agreement;
mod evidence;
mod file;
mod needles;
mod pictures;
mod reviews;
mod rows;
mod trees;

use std::ops::Range;
use std::path::Path;

use crate::DataError;
use crate::hash::Hash;

pub use agreement::{Agreement, agreement, agreement_corpus};
pub use evidence::places as evidence_places;
pub use file::{InputText, Inputs, read_texts, read_texts_with};
pub use needles::{Needle, needles, needles_corpus};
pub use pictures::{
    LabeledPicture, NamedPicture, NamedPictures, Pictures, Region, read_named_pictures,
};
pub use reviews::reviews;
pub use rows::TextColumns;
pub use trees::{Tree, are_trees, read_trees};

/// A text and the label that a human, or a grammar, gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// The text, never empty, without white space at its ends.
    pub text: String,
    /// Its label: an index into [`Corpus::labels`].
    pub label: usize,
    /// The words that decide the label, as ranges of characters (not bytes) in `text`, in order and
    /// without overlap. Empty if they are not known, as in a corpus that was read from a file.
    pub evidence: Vec<Range<usize>>,
    /// The parts of the text whose tokens a language model learns to expect, as ranges of characters. Empty if it
    /// learns all of the text.
    pub learned: Vec<Range<usize>>,
}

/// Labeled texts in three parts: one to train on, one to evaluate each epoch on, and one to test
/// the trained model on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Corpus {
    /// The names of the labels, two or more. A label is an index into this list.
    pub labels: Vec<String>,
    /// The examples to train on.
    pub train: Vec<Example>,
    /// The examples to evaluate each epoch on.
    pub dev: Vec<Example>,
    /// The examples to test the trained model on. Empty if a folder has no labeled `test.tsv`.
    pub test: Vec<Example>,
}

impl Corpus {
    /// Reads a corpus from a folder or from one file.
    ///
    /// A folder is laid out as in GLUE: `train.tsv`, and if there are any `dev.tsv` and
    /// `test.tsv`. Without a `dev.tsv` a tenth of the training rows is held out. A `test.tsv` that
    /// has no label column, as GLUE publishes it, is left out.
    ///
    /// One file ends in `.tsv`, `.csv` or `.jsonl`. A tenth of its rows becomes `dev`, another
    /// tenth `test`. Which rows these are is drawn at random from a fixed seed, so it is the same
    /// on every run and every machine.
    ///
    /// The columns are `text` (or `sentence`) and `label`; a `.tsv` or `.csv` names them in its
    /// first line. In a `.tsv` a double quote is an ordinary character, in a `.csv` it quotes.
    ///
    /// Labels that are the integers 0 to n-1 keep their numbers. Their names are the numbers too,
    /// except that exactly 0 and 1 are called `negative` and `positive`, as in SST-2. All other
    /// labels are their own names, in alphabetical order.
    ///
    /// # Errors
    ///
    /// Any [`DataError`]. The first bad row ends the reading, because results on a corpus with
    /// missing rows would be wrong without notice.
    pub fn read(path: impl AsRef<Path>) -> Result<Corpus, DataError> {
        file::read_corpus(path.as_ref())
    }

    /// The SHA-256 of all texts and labels, in hexadecimal, which identifies this corpus.
    pub fn sha256(&self) -> String {
        let mut hash = Hash::default();
        for part in [&self.train, &self.dev, &self.test] {
            hash.number(part.len());
            for example in part {
                hash.number(example.text.len());
                hash.bytes(&example.text);
                hash.number(example.label);
            }
        }
        hash.finish()
    }
}
