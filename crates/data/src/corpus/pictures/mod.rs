//! Labeled pictures, from a folder for each label or from files in the format of MNIST.

mod folders;
mod idx;
mod region;
mod table;

use std::path::Path;

pub use region::Region;
pub use table::{NamedPicture, NamedPictures, read_named_pictures};

use crate::DataError;
use crate::hash::Hash;

/// A picture and its label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabeledPicture {
    /// Its bytes, `[y, x, channel]`.
    pub bytes: Vec<u8>,
    /// Its height and width, in pixels.
    pub sides: [usize; 2],
    /// Its label: an index into [`Pictures::labels`].
    pub label: usize,
}

/// Labeled pictures in three parts, as in [`Corpus`](super::Corpus).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pictures {
    /// The names of the labels, two or more.
    pub labels: Vec<String>,
    /// How many numbers a pixel is: 1 if all training pictures are gray, else 3.
    pub channels: usize,
    /// The pictures to train on.
    pub train: Vec<LabeledPicture>,
    /// The pictures to evaluate each epoch on.
    pub dev: Vec<LabeledPicture>,
    /// The pictures to test the trained model on. Empty if there is no such part.
    pub test: Vec<LabeledPicture>,
}

impl Pictures {
    /// Whether `path` is a folder of pictures, in one of the layouts that [`Pictures::read`] knows.
    pub fn are_at(path: &Path) -> bool {
        path.is_dir()
            && !path.join("train.tsv").exists()
            && (idx::are_at(path) || folders::are_at(path))
    }

    /// Reads the pictures of a folder. It holds either
    ///
    /// - a folder for each label, with PNG and JPEG files in it; or folders `train`, and if there are
    ///   any `dev` and `test`, with such folders in them; or
    /// - the files of MNIST, `train-images-idx3-ubyte` and so on, with or without `.gz`.
    ///
    /// Without a `dev` a tenth of the training pictures is held out, drawn from a fixed seed.
    ///
    /// # Errors
    ///
    /// Any [`DataError`]: the first bad file ends the reading.
    pub fn read(path: &Path) -> Result<Self, DataError> {
        match idx::are_at(path) {
            true => idx::read(path),
            false => folders::read(path),
        }
    }

    /// The SHA-256 of all pictures and labels, in hexadecimal, which identifies them.
    pub fn sha256(&self) -> String {
        let mut hash = Hash::default();
        for part in [&self.train, &self.dev, &self.test] {
            hash.number(part.len());
            for picture in part {
                let [height, width] = picture.sides;
                for number in [height, width, picture.label] {
                    hash.number(number);
                }
                hash.bytes(&picture.bytes);
            }
        }
        hash.finish()
    }
}

#[cfg(test)]
mod tests;
