//! `preprocessor_config.json`: how a picture is resized, cut and scaled.

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::{U8, U8x3};
use fast_image_resize::{FilterType, PixelTrait, ResizeAlg, ResizeOptions, Resizer};
use image::DynamicImage;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::error::PictureError;
use crate::CheckpointError;
use crate::files::PREPROCESSOR;
use crate::json::from_json;
use relprop_transformer::{PatchConfig, Picture, TokenizedText};

/// The preprocessing of a picture, in this order: it is resized, cropped to its middle, and each
/// channel is scaled.
///
/// Its settings are `size`, `resample`, `crop_size`, `rescale_factor`, `image_mean` and `image_std`
/// of transformers.
#[derive(Clone, Debug, PartialEq)]
pub struct Preprocessor {
    /// The height and width that a picture is resized to, whatever its shape, and how.
    pub resize: Option<([usize; 2], Filter)>,
    /// The height and width of the middle that is kept.
    pub crop: Option<[usize; 2]>,
    /// The factor of a number from 0 to 255.
    pub factor: f64,
    /// The mean that is then subtracted from each channel, and the deviation by which it is
    /// divided.
    pub normalize: Option<(Vec<f64>, Vec<f64>)>,
}

/// How new pixels are interpolated from old ones. All but `Nearest` use all old pixels under a new
/// one, as Pillow does, and differ from Pillow by at most one of 255 levels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "these are their names")]
pub enum Filter {
    Nearest,
    Lanczos,
    Bilinear,
    Bicubic,
    Box,
    Hamming,
}

impl Filter {
    /// In the order of Pillow's numbers for them.
    const ALL: [Self; 6] = [
        Self::Nearest,
        Self::Lanczos,
        Self::Bilinear,
        Self::Bicubic,
        Self::Box,
        Self::Hamming,
    ];

    fn algorithm(self) -> ResizeAlg {
        match self {
            Self::Nearest => ResizeAlg::Nearest,
            Self::Lanczos => ResizeAlg::Convolution(FilterType::Lanczos3),
            Self::Bilinear => ResizeAlg::Convolution(FilterType::Bilinear),
            // Pillow's bicubic is that of Catmull and Rom: a = -0.5.
            Self::Bicubic => ResizeAlg::Convolution(FilterType::CatmullRom),
            Self::Box => ResizeAlg::Convolution(FilterType::Box),
            Self::Hamming => ResizeAlg::Convolution(FilterType::Hamming),
        }
    }
}

/// The file, with transformers' own names. A key that is absent has the default of
/// `ViTImageProcessor`, or of `DeiTImageProcessor` if that is the type.
#[derive(Serialize, Deserialize)]
struct File {
    #[serde(alias = "feature_extractor_type")]
    image_processor_type: Option<String>,
    do_resize: Option<bool>,
    size: Option<Size>,
    resample: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    do_center_crop: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    crop_size: Option<Size>,
    do_rescale: Option<bool>,
    rescale_factor: Option<f64>,
    do_normalize: Option<bool>,
    image_mean: Option<Vec<f64>>,
    image_std: Option<Vec<f64>>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

/// A height and a width, or one number for both.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Size {
    Square(usize),
    Sides { height: usize, width: usize },
    Other(Value),
}

impl Size {
    fn sides(&self, key: &str) -> Result<[usize; 2], String> {
        let sides = match self {
            Self::Square(side) => [*side; 2],
            Self::Sides { height, width } => [*height, *width],
            Self::Other(value) => {
                let message =
                    "only a `height` and a `width`, or one number for both, are supported";
                return Err(format!("`{key}` is {value}; {message}"));
            }
        };
        let fits = sides.iter().all(|side| (1..=LARGEST).contains(side));
        fits.then_some(sides)
            .ok_or_else(|| format!("`{key}` must be from 1 to {LARGEST}"))
    }
}

/// No side is resized to more pixels.
const LARGEST: usize = 1 << 13;

/// Keys that change no pixel: what the file is for, and how results are returned. `do_convert_rgb`
/// is always done if a model reads three channels.
const HARMLESS: &[&str] = &[
    "_valid_processor_keys",
    "auto_map",
    "data_format",
    "default_to_square",
    "device",
    "disable_grouping",
    "do_convert_rgb",
    "feature_extractor_type",
    "input_data_format",
    "processor_class",
    "return_tensors",
];

impl Preprocessor {
    /// Leaves pictures as large as they are, and maps 0 to 255 to -1 to 1.
    pub fn plain(channels: usize) -> Self {
        Self {
            resize: None,
            crop: None,
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

    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let file: File = from_json(text)?;
        let mut others = file.others.iter().filter(|(_, value)| !value.is_null());
        if let Some((key, value)) = others.find(|(key, value)| {
            let off = matches!(key.as_str(), "do_pad" | "do_reduce_labels") && **value == false;
            !off && !HARMLESS.contains(&key.as_str())
        }) {
            return Err(format!(
                "`{key}` is {value}; relprop does not know this key and so cannot tell what it \
                 changes; if it changes no pixel, remove it"
            ));
        }
        let kind = file.image_processor_type.as_deref().unwrap_or("");
        let deit = kind.contains("DeiT");
        let usual = |side| Size::Square(side);

        let resample = file.resample.unwrap_or(if deit { 3 } else { 2 });
        let filter = Filter::ALL.get(resample).ok_or_else(|| {
            format!("`resample` is {resample}; it must be from 0 to 5, as Pillow numbers filters")
        })?;
        let size = file.size.unwrap_or(usual(if deit { 256 } else { 224 }));
        let resize = file.do_resize.unwrap_or(true);
        let resize = resize.then(|| size.sides("size")).transpose()?;
        let crop_size = file.crop_size.unwrap_or(usual(224));
        let crop = file.do_center_crop.unwrap_or(deit);
        let crop = crop.then(|| crop_size.sides("crop_size")).transpose()?;

        let mean = file.image_mean.unwrap_or_else(|| vec![0.5; 3]);
        let deviation = file.image_std.unwrap_or_else(|| vec![0.5; 3]);
        let finite = mean.iter().all(|number| number.is_finite());
        let positive = deviation
            .iter()
            .all(|number| number.is_finite() && *number > 0.0);
        if !finite || !positive || mean.len() != deviation.len() {
            let message = "must be as many finite numbers, those of `image_std` above 0";
            return Err(format!("`image_mean` and `image_std` {message}"));
        }
        let factor = match file.do_rescale.unwrap_or(true) {
            true => file.rescale_factor.unwrap_or(1.0 / 255.0),
            false => 1.0,
        };
        if !factor.is_finite() {
            return Err("`rescale_factor` must be a finite number".to_owned());
        }
        let normalize = file.do_normalize.unwrap_or(true);
        Ok(Self {
            resize: resize.map(|size| (size, *filter)),
            crop,
            factor,
            normalize: normalize.then_some((mean, deviation)),
        })
    }

    /// Writes `preprocessor_config.json`, as transformers reads it.
    pub fn to_json(&self) -> String {
        let size = |[height, width]: [usize; 2]| Size::Sides { height, width };
        let filter = self.resize.map_or(Filter::Bilinear, |(_, filter)| filter);
        let file = File {
            image_processor_type: Some("ViTImageProcessor".to_owned()),
            do_resize: Some(self.resize.is_some()),
            size: self.resize.map(|(sides, _)| size(sides)),
            resample: Filter::ALL.iter().position(|known| *known == filter),
            do_center_crop: self.crop.map(|_| true),
            crop_size: self.crop.map(size),
            do_rescale: Some(true),
            rescale_factor: Some(self.factor),
            do_normalize: Some(self.normalize.is_some()),
            image_mean: self.normalize.clone().map(|(mean, _)| mean),
            image_std: self.normalize.clone().map(|(_, deviation)| deviation),
            others: Map::new(),
        };
        let text = serde_json::to_string_pretty(&file).expect("numbers and names");
        text + "\n"
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
        let resized = self.resize.map(|(size, _)| size);
        if let (Some(size), Some(crop)) = (resized, self.crop)
            && (crop[0] > size[0] || crop[1] > size[1])
        {
            return Err("`crop_size` is larger than `size`".to_owned());
        }
        if let Some([found_height, found_width]) = self.crop.or(resized)
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
            _ => picture.to_rgb8().into_raw(),
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
            Some((size, filter)) => (resize(bytes, sides, size, filter, channels), size),
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
        let [top, left] = [0, 1].map(|axis| (size[axis] - kept[axis]) / 2);
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

/// The error for `preprocessor_config.json`.
fn wrong(message: String) -> CheckpointError {
    CheckpointError::Preprocessor {
        path: PREPROCESSOR.into(),
        message,
    }
}

/// A picture in gray, computed from colors as Pillow does, by the weights of Rec. 601.
fn grey(picture: &DynamicImage) -> Vec<u8> {
    if !picture.color().has_color() {
        return picture.to_luma8().into_raw();
    }
    let pixels = picture.to_rgb8().into_raw();
    let grey = pixels.chunks_exact(3).map(|pixel| {
        let [red, green, blue] = [0, 1, 2].map(|channel| u32::from(pixel[channel]));
        ((19_595 * red + 38_470 * green + 7_471 * blue + 0x8000) >> 16) as u8
    });
    grey.collect()
}

/// `bytes`, `[y, x, channel]`, in another size.
fn resize(
    bytes: Vec<u8>,
    from: [usize; 2],
    to: [usize; 2],
    filter: Filter,
    channels: usize,
) -> Vec<u8> {
    if from == to {
        return bytes;
    }
    let mut resized = vec![0; to[0] * to[1] * channels];
    match channels {
        1 => resize_pixels::<U8>(&bytes, from, &mut resized, to, filter),
        _ => resize_pixels::<U8x3>(&bytes, from, &mut resized, to, filter),
    }
    resized
}

/// Resizes pixels of one kind. The kind is a type, because the library's function that finds it out
/// while it runs contains the code for all fourteen: 3 MB of the program.
fn resize_pixels<Pixel: PixelTrait>(
    old: &[u8],
    from: [usize; 2],
    new: &mut [u8],
    to: [usize; 2],
    filter: Filter,
) {
    let [from, to] = [from, to].map(|sides| sides.map(|side| side as u32));
    let enough = "as many bytes as pixels";
    let old = TypedImageRef::<Pixel>::from_buffer(from[1], from[0], old).expect(enough);
    let mut new = TypedImage::<Pixel>::from_buffer(to[1], to[0], new).expect(enough);
    let options = ResizeOptions::new().resize_alg(filter.algorithm());
    let done = Resizer::new().resize_typed(&old, &mut new, &options);
    done.expect("both pictures have the same kind of pixels");
}
