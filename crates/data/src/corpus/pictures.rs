//! Labeled pictures, from a folder for each label or from files in the format of MNIST.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::{DecodeError, decode};
use flate2::read::GzDecoder;
use image::{ColorType, DynamicImage};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

/// Decides which pictures are held out where the files do not say.
const SPLIT_SEED: u64 = 0;

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
    /// What the model learns from.
    pub train: Vec<LabeledPicture>,
    /// What the training is watched with.
    pub dev: Vec<LabeledPicture>,
    /// What the trained model is measured on. Empty where there is no such part.
    pub test: Vec<LabeledPicture>,
}

/// Why pictures could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PicturesError {
    /// The system does not hand a file or folder out.
    #[error("{} cannot be read: {source}", path.display())]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file is no picture.
    #[error("{}: {source}", path.display())]
    Picture {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: DecodeError,
    },
    /// A file of the IDX format is damaged.
    #[error("{}: {message}; is the file complete?", path.display())]
    Idx {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// There are too few pictures, or labels.
    #[error("{}: {message}", path.display())]
    TooFew {
        /// The folder.
        path: PathBuf,
        /// What is missing.
        message: String,
    },
    /// A picture has a label that no training picture has.
    #[error("{}: no training picture has the label `{label}`", path.display())]
    UnknownLabel {
        /// The folder.
        path: PathBuf,
        /// The label.
        label: String,
    },
}

/// The two parts in the format of MNIST: pictures and labels.
const IDX_TRAIN: [&str; 2] = ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"];
const IDX_TEST: [&str; 2] = ["t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"];

impl Pictures {
    /// Whether `path` is a folder of pictures, in one of the layouts that [`Pictures::read`] knows.
    pub fn are_at(path: &Path) -> bool {
        path.is_dir()
            && !path.join("train.tsv").exists()
            && (idx(path, IDX_TRAIN[0]).is_some() || {
                let labels = folders(&part(path, "train")).unwrap_or_default();
                let mut files = labels.iter().flat_map(|label| files(label));
                files.any(|files| !files.is_empty())
            })
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
    /// Any [`PicturesError`]: the first bad file ends the reading.
    pub fn read(path: &Path) -> Result<Self, PicturesError> {
        match idx(path, IDX_TRAIN[0]) {
            Some(_) => read_idx(path),
            None => read_folders(path),
        }
    }
}

fn unreadable(path: &Path) -> impl Fn(io::Error) -> PicturesError {
    move |source| PicturesError::Unreadable {
        path: path.to_owned(),
        source,
    }
}

/// A file of the format of MNIST, as it is or compressed.
fn idx(folder: &Path, name: &str) -> Option<PathBuf> {
    let mut paths = [folder.join(name), folder.join(format!("{name}.gz"))].into_iter();
    paths.find(|path| path.is_file())
}

fn read_idx(folder: &Path) -> Result<Pictures, PicturesError> {
    let mut train = idx_part(folder, IDX_TRAIN)?;
    let test = match idx(folder, IDX_TEST[0]) {
        Some(_) => idx_part(folder, IDX_TEST)?,
        None => Vec::new(),
    };
    let count = train.iter().chain(&test).map(|one| one.label + 1).max();
    Ok(Pictures {
        labels: (0..count.unwrap_or(0))
            .map(|label| label.to_string())
            .collect(),
        channels: 1,
        dev: hold_out(&mut train, folder)?,
        train,
        test,
    })
}

fn idx_part(
    folder: &Path,
    [pictures, labels]: [&str; 2],
) -> Result<Vec<LabeledPicture>, PicturesError> {
    let (path, [count, height, width], bytes) = idx_file(folder, pictures)?;
    let (labels_path, [labeled], labels) = idx_file(folder, labels)?;
    if count != labeled {
        return Err(PicturesError::Idx {
            path: labels_path,
            message: format!(
                "it has {labeled} labels for the {count} pictures of {}",
                path.display()
            ),
        });
    }
    let pictures = bytes.chunks_exact((height * width).max(1)).zip(labels);
    let pictures = pictures.map(|(bytes, label)| LabeledPicture {
        bytes: bytes.to_vec(),
        sides: [height, width],
        label: label.into(),
    });
    Ok(pictures.collect())
}

/// An IDX file: two zero bytes, 8 for bytes, the number of axes, the size of each axis in four bytes
/// from the highest, and the bytes.
fn idx_file<const AXES: usize>(
    folder: &Path,
    name: &str,
) -> Result<(PathBuf, [usize; AXES], Vec<u8>), PicturesError> {
    let path = idx(folder, name).unwrap_or_else(|| folder.join(name));
    let file = File::open(&path).map_err(unreadable(&path))?;
    let mut bytes = Vec::new();
    let read = match path.extension() {
        Some(ending) if ending == "gz" => {
            GzDecoder::new(file).take(LARGEST).read_to_end(&mut bytes)
        }
        _ => file.take(LARGEST).read_to_end(&mut bytes),
    };
    read.map_err(unreadable(&path))?;
    let wrong = |message: &str| PicturesError::Idx {
        path: path.clone(),
        message: message.to_owned(),
    };
    let start = 4 + 4 * AXES;
    if bytes.len() < start || bytes[..3] != [0, 0, 8] || usize::from(bytes[3]) != AXES {
        return Err(wrong("it is not in the IDX format that its name says"));
    }
    let sizes: [usize; AXES] = std::array::from_fn(|axis| {
        let at = 4 + 4 * axis;
        let size: [u8; 4] = bytes[at..at + 4].try_into().expect("four bytes");
        u32::from_be_bytes(size) as usize
    });
    let whole = sizes
        .iter()
        .try_fold(1_usize, |product, size| product.checked_mul(*size));
    if whole != Some(bytes.len() - start) || sizes.contains(&0) {
        return Err(wrong(
            "it holds more or fewer bytes than its first ones say",
        ));
    }
    bytes.drain(..start);
    Ok((path, sizes, bytes))
}

/// A file of more bytes is not read: a compressed one can claim to be any size.
const LARGEST: u64 = 1 << 32;

/// A part of a folder; the folder itself, if it has no part `train`.
fn part(folder: &Path, name: &str) -> PathBuf {
    let train = folder.join("train");
    if name == "train" && !train.is_dir() {
        return folder.to_owned();
    }
    folder.join(name)
}

/// What is in a folder, in the order of names.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, PicturesError> {
    let entries = fs::read_dir(folder).map_err(unreadable(folder))?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path()));
    let mut paths: Vec<PathBuf> = paths
        .collect::<Result<_, _>>()
        .map_err(unreadable(folder))?;
    paths.sort();
    Ok(paths)
}

fn folders(folder: &Path) -> Result<Vec<PathBuf>, PicturesError> {
    let mut paths = entries(folder)?;
    paths.retain(|path| path.is_dir());
    Ok(paths)
}

/// The PNG and JPEG files of a folder.
fn files(folder: &Path) -> Result<Vec<PathBuf>, PicturesError> {
    let mut paths = entries(folder)?;
    paths.retain(|path| {
        let ending = path.extension().unwrap_or_default().to_ascii_lowercase();
        path.is_file() && (ending == "png" || ending == "jpg" || ending == "jpeg")
    });
    Ok(paths)
}

/// A picture with the name of its label.
type Named = (DynamicImage, String);

fn read_part(folder: &Path) -> Result<Vec<Named>, PicturesError> {
    let mut found = Vec::new();
    for label in folders(folder)? {
        let name = label
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        for path in files(&label)? {
            let bytes = fs::read(&path).map_err(unreadable(&path))?;
            let picture =
                decode(&bytes).map_err(|source| PicturesError::Picture { path, source })?;
            found.push((picture, name.clone()));
        }
    }
    Ok(found)
}

fn read_folders(folder: &Path) -> Result<Pictures, PicturesError> {
    let train = read_part(&part(folder, "train"))?;
    let labels: BTreeSet<&String> = train.iter().map(|(_, label)| label).collect();
    let labels: Vec<String> = labels.into_iter().cloned().collect();
    if labels.len() < 2 {
        return Err(PicturesError::TooFew {
            path: folder.to_owned(),
            message: "give a folder with PNG or JPEG files for each of two labels at least"
                .to_owned(),
        });
    }
    let gray = |picture: &DynamicImage| {
        matches!(
            picture.color(),
            ColorType::L8 | ColorType::La8 | ColorType::L16 | ColorType::La16
        )
    };
    let channels = if train.iter().all(|(picture, _)| gray(picture)) {
        1
    } else {
        3
    };
    let labeled = |named: Vec<Named>, path: &Path| {
        let picture = |(picture, label): Named| {
            let known = labels.iter().position(|name| *name == label);
            let path = path.to_owned();
            let label = known.ok_or(PicturesError::UnknownLabel { path, label })?;
            let sides = [picture.height() as usize, picture.width() as usize];
            let bytes = match channels {
                1 => picture.to_luma8().into_raw(),
                _ => picture.to_rgb8().into_raw(),
            };
            Ok(LabeledPicture {
                bytes,
                sides,
                label,
            })
        };
        named
            .into_iter()
            .map(picture)
            .collect::<Result<Vec<_>, _>>()
    };
    let optional = |name: &str| {
        let path = folder.join(name);
        // Without a part `train`, a folder of this name is a label.
        let is_part = folder.join("train").is_dir() && path.is_dir();
        is_part
            .then(|| labeled(read_part(&path)?, &path))
            .transpose()
    };
    let (dev, test) = (optional("dev")?, optional("test")?);
    let mut train = labeled(train, folder)?;
    let dev = match dev {
        Some(dev) if !dev.is_empty() => dev,
        _ => hold_out(&mut train, folder)?,
    };
    let test = test.unwrap_or_default();
    Ok(Pictures {
        labels,
        channels,
        train,
        dev,
        test,
    })
}

/// Shuffles the pictures and takes a tenth of them.
fn hold_out(
    pictures: &mut Vec<LabeledPicture>,
    path: &Path,
) -> Result<Vec<LabeledPicture>, PicturesError> {
    if pictures.len() < 10 {
        return Err(PicturesError::TooFew {
            path: path.to_owned(),
            message: format!(
                "{} pictures are too few to hold some out; give 10",
                pictures.len()
            ),
        });
    }
    pictures.shuffle(&mut ChaCha8Rng::seed_from_u64(SPLIT_SEED));
    Ok(pictures.split_off(pictures.len() - pictures.len() / 10))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An IDX file of these sizes, whose bytes count up.
    fn idx_bytes(sizes: &[u32]) -> Vec<u8> {
        let mut bytes = vec![0, 0, 8, sizes.len() as u8];
        sizes
            .iter()
            .for_each(|size| bytes.extend(size.to_be_bytes()));
        let count: u32 = sizes.iter().product();
        bytes.extend((0..count).map(|number| (number % 10) as u8));
        bytes
    }

    #[test]
    fn the_files_of_mnist_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let write =
            |name: &str, bytes: Vec<u8>| fs::write(folder.path().join(name), bytes).unwrap();
        write(IDX_TRAIN[0], idx_bytes(&[20, 2, 3]));
        write(IDX_TRAIN[1], idx_bytes(&[20]));
        assert!(Pictures::are_at(folder.path()));
        let pictures = Pictures::read(folder.path()).unwrap();
        assert_eq!(pictures.labels.len(), 10);
        let parts = (
            pictures.train.len(),
            pictures.dev.len(),
            pictures.test.len(),
        );
        assert_eq!((parts, pictures.channels), ((18, 2, 0), 1));
        for one in pictures.train.iter().chain(&pictures.dev) {
            // Picture n starts at the byte 6 n, and its label is n modulo 10.
            let first = (0..20)
                .filter(|n| n % 10 == one.label)
                .map(|n| (6 * n % 10) as u8);
            assert!(first.clone().any(|byte| byte == one.bytes[0]), "{one:?}");
            assert_eq!((one.sides, one.bytes.len()), ([2, 3], 6));
        }
    }

    #[test]
    fn damaged_files_are_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let read = |pictures: Vec<u8>, labels: Vec<u8>| {
            fs::write(folder.path().join(IDX_TRAIN[0]), pictures).unwrap();
            fs::write(folder.path().join(IDX_TRAIN[1]), labels).unwrap();
            Pictures::read(folder.path()).unwrap_err().to_string()
        };
        let good = || idx_bytes(&[12, 2, 2]);
        let mut claims = good();
        claims[4..16].fill(0xff);
        for (pictures, labels, message) in [
            (
                good()[..20].to_vec(),
                idx_bytes(&[12]),
                "more or fewer bytes",
            ),
            (claims, idx_bytes(&[12]), "more or fewer bytes"),
            (idx_bytes(&[12]), idx_bytes(&[12]), "not in the IDX format"),
            (Vec::new(), idx_bytes(&[12]), "not in the IDX format"),
            (good(), idx_bytes(&[11]), "11 labels for the 12 pictures"),
        ] {
            let error = read(pictures, labels);
            assert!(error.contains(message), "{error}");
        }
    }

    #[test]
    fn a_folder_for_each_label_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let draw = |part: &str, gray: bool| {
            for label in ["cat", "dog"] {
                let folder = folder.path().join(part).join(label);
                fs::create_dir_all(&folder).unwrap();
                for number in 0..6 {
                    let picture = match gray {
                        true => DynamicImage::new_luma8(4, 3),
                        false => DynamicImage::new_rgb8(4, 3),
                    };
                    picture.save(folder.join(format!("{number}.png"))).unwrap();
                }
                fs::write(folder.join("notes.txt"), "none").unwrap();
            }
        };
        draw("", true);
        assert!(Pictures::are_at(folder.path()));
        let pictures = Pictures::read(folder.path()).unwrap();
        assert_eq!(pictures.labels, ["cat", "dog"]);
        let parts = (
            pictures.train.len(),
            pictures.dev.len(),
            pictures.test.len(),
        );
        assert_eq!((parts, pictures.channels), ((11, 1, 0), 1));

        draw("train", false);
        draw("test", true);
        let pictures = Pictures::read(folder.path()).unwrap();
        let parts = (
            pictures.train.len(),
            pictures.dev.len(),
            pictures.test.len(),
        );
        assert_eq!((parts, pictures.channels), ((11, 1, 12), 3));
        assert_eq!(pictures.train[0].bytes.len(), 36);

        fs::create_dir_all(folder.path().join("test/cow")).unwrap();
        let cow = folder.path().join("test/cow/1.png");
        DynamicImage::new_luma8(4, 3).save(&cow).unwrap();
        let error = Pictures::read(folder.path()).unwrap_err();
        assert!(error.to_string().contains("the label `cow`"), "{error}");
        fs::write(&cow, "no picture").unwrap();
        let error = Pictures::read(folder.path()).unwrap_err();
        assert!(error.to_string().contains("1.png: it is no PNG"), "{error}");
    }
}
