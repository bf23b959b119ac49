//! The pictures that are measured.

use std::path::Path;
use std::sync::Arc;

use image::{DynamicImage, GrayImage, RgbImage};
use relprop_checkpoints::{Input, Model};
use relprop_data::corpus::{self, LabeledPicture, Pictures, Region, TextColumns};
use relprop_evaluate::Sample;
use relprop_transformer::TokenizedText;
use serde::{Deserialize, Serialize};

use super::{LabeledText, MeasureError, Measured, Samples, WrittenLabel};
use crate::EngineError;

/// What stands in the place of a hidden patch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hide {
    /// Zeros, which are the mean color where the preprocessor takes the mean away.
    #[default]
    Mean,
    /// The patch of the picture after a [blur](relprop_transformer::Picture::blurred) as wide as a patch.
    Blur,
}

impl Samples {
    /// The pictures of a folder as training reads it: those to test with, or those that are held out.
    pub(super) fn of_pictures(
        path: &Path,
        more: TextColumns,
        limit: Option<usize>,
        target: &Measured,
        model: &Arc<Model>,
        say: impl FnMut(&str),
    ) -> Result<Self, EngineError> {
        let name = path.display().to_string();
        if !matches!(model.input, Input::Pictures(_)) {
            return Err(MeasureError::NoTexts(name).into());
        }
        if !more.is_empty() {
            return Err(MeasureError::NoColumns(name).into());
        }
        let all = Pictures::read(path)?;
        let sha256 = all.sha256();
        let part = match all.test.is_empty() {
            true => all.dev,
            false => all.test,
        };
        let found = (1..).zip(part).map(|(number, picture)| {
            let place = format!("{name}, picture {number}");
            LabeledText {
                text: place.clone(),
                place,
                label: WrittenLabel::Written(all.labels[picture.label].clone()),
                picture: Some(decoded(picture)),
                answer: None,
                pair: None,
                evidence: Vec::new(),
                region: None,
                sentiment: Vec::new(),
            }
        });
        let found = found.take(limit.unwrap_or(usize::MAX)).collect();
        let samples = Self::of(found, None, target, model, &name, say)?;
        Ok(Self {
            sha256: Some(sha256),
            ..samples
        })
    }

    /// The pictures that a table names.
    pub(super) fn of_named_pictures(
        path: &Path,
        more: TextColumns,
        limit: Option<usize>,
        target: &Measured,
        model: &Arc<Model>,
        mut say: impl FnMut(&str),
    ) -> Result<Self, EngineError> {
        let name = path.display().to_string();
        if !path.is_file() {
            return Err(MeasureError::NoPictures(name).into());
        }
        if more.answer.is_some() || more.pair.is_some() {
            return Err(MeasureError::NoColumns(name).into());
        }
        let limit = limit.unwrap_or(usize::MAX);
        let read = corpus::read_named_pictures(path, more.evidence, limit)?;
        for error in &read.skipped {
            say(&format!("{error}; skipped"));
        }
        let found = read.pictures.into_iter().map(|named| LabeledText {
            place: format!("{name}, line {}", named.line),
            text: named.name,
            label: named
                .label
                .map_or(WrittenLabel::None, WrittenLabel::Written),
            picture: Some(named.picture),
            answer: None,
            pair: None,
            evidence: Vec::new(),
            region: named.region,
            sentiment: Vec::new(),
        });
        let samples = Self::of(found.collect(), None, target, model, &name, say)?;
        Ok(Self {
            sha256: Some(read.sha256),
            ..samples
        })
    }

    /// The same with patches hidden in this way. `name` is what errors call them.
    ///
    /// # Errors
    ///
    /// [`MeasureError::NoBlur`] if texts are to be blurred.
    pub fn hidden_by(self, hide: Hide, name: &str) -> Result<Self, MeasureError> {
        if hide == Hide::Mean {
            return Ok(self);
        }
        let blurred = self.samples.into_iter().map(|sample| {
            if sample.text.picture().is_none() {
                return Err(MeasureError::NoBlur(name.to_owned()));
            }
            let text = sample.text.clone().with_blur();
            Ok(Sample { text, ..sample })
        });
        Ok(Self {
            samples: blurred.collect::<Result<_, _>>()?,
            ..self
        })
    }
}

/// How much of each patch lies in a part of the picture.
pub(super) fn shares(text: &TokenizedText, region: &Region) -> Vec<f64> {
    let Some(picture) = text.picture() else {
        return Vec::new();
    };
    let [rows, columns] = picture.grid();
    let patches = 0..rows * columns;
    patches
        .map(|patch| region.share(picture.area(patch)))
        .collect()
}

/// A picture of bytes, one a pixel if it is gray, else three.
fn decoded(picture: LabeledPicture) -> DynamicImage {
    let LabeledPicture { bytes, sides, .. } = picture;
    let [height, width] = sides.map(|side| side as u32);
    let found = match bytes.len() == sides[0] * sides[1] {
        true => GrayImage::from_raw(width, height, bytes).map(DynamicImage::from),
        false => RgbImage::from_raw(width, height, bytes).map(DynamicImage::from),
    };
    found.expect("as many bytes as the sides say")
}
