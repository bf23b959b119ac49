//! Pictures in a folder for each label.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use image::{ColorType, DynamicImage};

use super::{LabeledPicture, Pictures};
use crate::picture::ENDINGS;
use crate::split::hold_out;
use crate::{DataError, decode};

/// Whether a folder has folders with pictures in them.
pub(super) fn are_at(folder: &Path) -> bool {
    let labels = folders(&part(folder, "train")).unwrap_or_default();
    let mut files = labels.iter().flat_map(|label| files(label));
    files.any(|files| !files.is_empty())
}

/// A part of a folder; the folder itself, if it has no part `train`.
fn part(folder: &Path, name: &str) -> PathBuf {
    let train = folder.join("train");
    if name == "train" && !train.is_dir() {
        return folder.to_owned();
    }
    folder.join(name)
}

/// What is in a folder, in the order of names.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let entries = fs::read_dir(folder).map_err(DataError::io(folder))?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path()));
    let mut paths: Vec<PathBuf> = paths
        .collect::<Result<_, _>>()
        .map_err(DataError::io(folder))?;
    paths.sort();
    Ok(paths)
}

fn folders(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let mut paths = entries(folder)?;
    paths.retain(|path| path.is_dir());
    Ok(paths)
}

/// The pictures of a folder.
fn files(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let mut paths = entries(folder)?;
    paths.retain(|path| {
        let ending = path.extension().unwrap_or_default().to_ascii_lowercase();
        path.is_file() && ENDINGS.iter().any(|known| ending == *known)
    });
    Ok(paths)
}

/// A picture with the name of its label.
type Named = (DynamicImage, String);

fn read_part(folder: &Path) -> Result<Vec<Named>, DataError> {
    let mut found = Vec::new();
    for label in folders(folder)? {
        let name = label
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        for path in files(&label)? {
            let bytes = fs::read(&path).map_err(DataError::io(&path))?;
            let picture = decode(&bytes).map_err(|error| DataError::In {
                path,
                error: error.into(),
            })?;
            found.push((picture, name.clone()));
        }
    }
    Ok(found)
}

/// Reads the pictures of all parts.
pub(super) fn read(folder: &Path) -> Result<Pictures, DataError> {
    let train = read_part(&part(folder, "train"))?;
    let labels: BTreeSet<&String> = train.iter().map(|(_, label)| label).collect();
    let labels: Vec<String> = labels.into_iter().cloned().collect();
    if labels.len() < 2 {
        return Err(DataError::NoPictures {
            path: folder.to_owned(),
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
        let picture = |(picture, label): Named| -> Result<LabeledPicture, DataError> {
            let known = labels.iter().position(|name| *name == label);
            let label = known.ok_or_else(|| DataError::UnknownLabel {
                place: path.display().to_string(),
                label,
                known: labels.clone(),
            })?;
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
            .collect::<Result<Vec<_>, DataError>>()
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
        _ => {
            let [dev] = hold_out(&mut train, folder)?;
            dev
        }
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
