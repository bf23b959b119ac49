//! How a picture is resized, cut and scaled.

use image::DynamicImage;

use super::error::PictureError;
use super::resize::{Filter, Resize, resize};
use crate::CheckpointError;
use crate::files::PREPROCESSOR;
use relprop_transformer::{PatchConfig, Picture, TokenizedText};

/// The preprocessing of a picture, in this order: it is resized, cropped to its middle, and each
/// channel is scaled.
///
/// Its settings are `size`, `resample`, `crop_size`, `rescale_factor`, `image_mean` and `image_std`
/// of transformers.
#[derive(Clone, Debug, PartialEq)]
pub struct Preprocessor {
    /// What a picture is resized to, and how.
    pub resize: Option<(Resize, Filter)>,
    /// The height and width of the middle that is kept.
    pub crop: Option<[usize; 2]>,
    /// Whether the margin that is cut off above and on the left is rounded to an even number where half of what is
    /// cut off is no whole number, as in torchvision and timm. If not, it is rounded down, as in transformers.
    pub margin_to_even: bool,
    /// The factor of a number from 0 to 255.
    pub factor: f64,
    /// The mean that is then subtracted from each channel, and the deviation by which it is
    /// divided.
    pub normalize: Option<(Vec<f64>, Vec<f64>)>,
}

impl Preprocessor {
    /// Leaves pictures as large as they are, and maps 0 to 255 to -1 to 1.
    pub fn plain(channels: usize) -> Self {
        Self {
            resize: None,
            crop: None,
            margin_to_even: false,
            factor: 1.0 / 255.0,
            normalize: Some((vec![0.5; channels], vec![0.5; channels])),
        }
    }

    /// Reads `preprocessor_config.json`.
    ///
    /// # Errors
    ///
    /// A [`CheckpointError::Preprocessor`] that names the key and what is wrong with it, or a key that
    /// is not known.
    pub fn from_json(text: &str) -> Result<Self, CheckpointError> {
        Self::parse(text).map_err(wrong)
    }

    /// Checks that it makes pictures that `patches` can be cut from.
    ///
    /// # Errors
    ///
    /// A [`CheckpointError::Preprocessor`] that says what does not fit.
    pub fn check(&self, patches: &PatchConfig) -> Result<(), CheckpointError> {
        self.fits(patches).map_err(wrong)
    }

    pub(crate) fn fits(&self, patches: &PatchConfig) -> Result<(), String> {
        let [height, width] = patches.picture;
        let resized = self.resize.map(|(resize, _)| resize);
        if let (Some(resize), Some(crop)) = (resized, self.crop)
            && (crop[0] > resize.least()[0] || crop[1] > resize.least()[1])
        {
            return Err("`crop_size` is larger than `size`".to_owned());
        }
        if let (Some(Resize::Shorter(_)), None) = (resized, self.crop) {
            return Err(
                "`size` gives the shorter side alone and nothing is cut off, so that pictures have many shapes; relprop \
                 reads pictures of one shape"
                    .to_owned(),
            );
        }
        if let Some([found_height, found_width]) = self.size()
            && [found_height, found_width] != patches.picture
        {
            return Err(format!(
                "it makes pictures of {found_height} x {found_width} pixels, but the model reads \
                 {height} x {width}"
            ));
        }
        let channels = patches.channels;
        match &self.normalize {
            Some((mean, _)) if mean.len() != channels => Err(format!(
                "`image_mean` has {} numbers, but the model reads {channels} channels",
                mean.len()
            )),
            _ => Ok(()),
        }
    }

    /// The height and width of all pictures that it makes; none if it leaves pictures as they are.
    pub(crate) fn size(&self) -> Option<[usize; 2]> {
        self.crop.or(self.resize.map(|(resize, _)| resize.least()))
    }

    /// A picture as the tokens that the model reads: see [`Picture::into_tokens`].
    ///
    /// # Errors
    ///
    /// [`PictureError::Size`] if it must not be resized and has another size.
    pub fn tokens(
        &self,
        picture: &DynamicImage,
        patches: &PatchConfig,
        name: &str,
    ) -> Result<TokenizedText, PictureError> {
        let bytes = match patches.channels {
            1 => grey(picture),
            _ => colors(picture),
        };
        let sides = [picture.height() as usize, picture.width() as usize];
        let cut = self.picture(bytes, sides, patches)?;
        Ok(cut.into_tokens(name))
    }

    /// The same for `bytes`, `[y, x, channel]`, of a picture of this height and width.
    ///
    /// # Errors
    ///
    /// As [`Preprocessor::tokens`].
    ///
    /// # Panics
    ///
    /// If the picture has another number of bytes, or none.
    pub fn picture(
        &self,
        bytes: Vec<u8>,
        sides: [usize; 2],
        patches: &PatchConfig,
    ) -> Result<Picture, PictureError> {
        let channels = patches.channels;
        let (bytes, size) = match self.resize {
            Some((to, filter)) => {
                let size = to.of(sides);
                if size.iter().any(|side| *side > MOST_PIXELS) || size[0] * size[1] > MOST_PIXELS {
                    let [height, width] = sides;
                    return Err(PictureError::Long { height, width });
                }
                (resize(bytes, sides, size, filter, channels), size)
            }
            None => (bytes, sides),
        };
        let kept = self.crop.unwrap_or(size);
        if kept != patches.picture || kept[0] > size[0] || kept[1] > size[1] {
            let text = |[height, width]: [usize; 2]| format!("{height} x {width}");
            return Err(PictureError::Size {
                found: text(sides),
                wanted: text(patches.picture),
            });
        }
        let [top, left] = [0, 1].map(|axis| self.margin(size[axis] - kept[axis]));
        let [height, width] = kept;
        let mut values = Vec::with_capacity(channels * height * width);
        for channel in 0..channels {
            let scaled: [f32; 256] = std::array::from_fn(|byte| self.scale(byte, channel));
            for y in top..top + height {
                let row = (y * size[1] + left) * channels + channel;
                let row = bytes[row..].iter().step_by(channels).take(width);
                values.extend(row.map(|byte| scaled[usize::from(*byte)]));
            }
        }
        // Where the cropped part lies in the given picture.
        let scale = [0, 1].map(|axis| sides[axis] as f32 / size[axis] as f32);
        let origin = [left as f32 * scale[1], top as f32 * scale[0]];
        let step = [
            patches.patch[1] as f32 * scale[1],
            patches.patch[0] as f32 * scale[0],
        ];
        let size = [sides[1] as u32, sides[0] as u32];
        Ok(Picture::cut(&values, *patches).placed(size, origin, step))
    }

    /// How many of `gone` pixels are cut off before the middle.
    fn margin(&self, gone: usize) -> usize {
        let up = self.margin_to_even && gone % 4 == 3;
        gone / 2 + usize::from(up)
    }

    /// What a number from 0 to 255 becomes.
    fn scale(&self, byte: usize, channel: usize) -> f32 {
        let value = byte as f64 * self.factor;
        let value = match &self.normalize {
            Some((mean, deviation)) => (value - mean[channel]) / deviation[channel],
            None => value,
        };
        value as f32
    }
}

/// No picture is resized to more pixels.
const MOST_PIXELS: usize = 1 << 28;

/// The error for `preprocessor_config.json`.
fn wrong(message: String) -> CheckpointError {
    CheckpointError::Preprocessor {
        path: PREPROCESSOR.into(),
        message,
    }
}

/// A picture in colors. Transparency is left out, and of a level of 16 bits the lower half, as in Pillow.
fn colors(picture: &DynamicImage) -> Vec<u8> {
    match picture {
        DynamicImage::ImageLuma16(_)
        | DynamicImage::ImageLumaA16(_)
        | DynamicImage::ImageRgb16(_)
        | DynamicImage::ImageRgba16(_) => {
            let levels = picture.to_rgb16().into_raw().into_iter();
            levels.map(|level| (level >> 8) as u8).collect()
        }
        _ => picture.to_rgb8().into_raw(),
    }
}

/// A picture in gray, computed from colors as Pillow does, by the weights of Rec. 601.
fn grey(picture: &DynamicImage) -> Vec<u8> {
    let pixels = colors(picture);
    if !picture.color().has_color() {
        return pixels.into_iter().step_by(3).collect();
    }
    let grey = pixels.chunks_exact(3).map(|pixel| {
        let [red, green, blue] = [0, 1, 2].map(|channel| u32::from(pixel[channel]));
        ((19_595 * red + 38_470 * green + 7_471 * blue + 0x8000) >> 16) as u8
    });
    grey.collect()
}
