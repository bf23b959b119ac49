//! Pictures in the format of MNIST.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;

use super::{LabeledPicture, Pictures};
use crate::DataError;
use crate::split::hold_out;

/// The two parts in the format of MNIST: pictures and labels.
pub(super) const TRAIN: [&str; 2] = ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"];
const TEST: [&str; 2] = ["t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"];

/// Whether a folder has such files.
pub(super) fn are_at(folder: &Path) -> bool {
    idx(folder, TRAIN[0]).is_some()
}

/// A file of the format of MNIST, as it is or compressed.
fn idx(folder: &Path, name: &str) -> Option<PathBuf> {
    let mut paths = [folder.join(name), folder.join(format!("{name}.gz"))].into_iter();
    paths.find(|path| path.is_file())
}

/// Reads the pictures of both parts.
pub(super) fn read(folder: &Path) -> Result<Pictures, DataError> {
    let mut train = idx_part(folder, TRAIN)?;
    let test = match idx(folder, TEST[0]) {
        Some(_) => idx_part(folder, TEST)?,
        None => Vec::new(),
    };
    let count = train.iter().chain(&test).map(|one| one.label + 1).max();
    let [dev] = hold_out(&mut train, folder)?;
    Ok(Pictures {
        labels: (0..count.unwrap_or(0))
            .map(|label| label.to_string())
            .collect(),
        channels: 1,
        dev,
        train,
        test,
    })
}

fn idx_part(
    folder: &Path,
    [pictures, labels]: [&str; 2],
) -> Result<Vec<LabeledPicture>, DataError> {
    let (path, [count, height, width], bytes) = idx_file(folder, pictures)?;
    let (labels_path, [labeled], labels) = idx_file(folder, labels)?;
    if count != labeled {
        return Err(DataError::Idx {
            path: labels_path,
            problem: format!(
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

/// An IDX file: two zero bytes, 8 for the type of bytes, the number of axes, the size of each axis
/// in four bytes (big-endian), and the bytes.
fn idx_file<const AXES: usize>(
    folder: &Path,
    name: &str,
) -> Result<(PathBuf, [usize; AXES], Vec<u8>), DataError> {
    let path = idx(folder, name).unwrap_or_else(|| folder.join(name));
    let file = File::open(&path).map_err(DataError::io(&path))?;
    let mut bytes = Vec::new();
    let read = match path.extension() {
        Some(ending) if ending == "gz" => {
            GzDecoder::new(file).take(LARGEST).read_to_end(&mut bytes)
        }
        _ => file.take(LARGEST).read_to_end(&mut bytes),
    };
    read.map_err(DataError::io(&path))?;
    let wrong = |problem: &str| DataError::Idx {
        path: path.clone(),
        problem: problem.to_owned(),
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
