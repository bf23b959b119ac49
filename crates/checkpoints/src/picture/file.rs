//! `preprocessor_config.json` of transformers.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::preprocessor::Preprocessor;
use super::resize::{Filter, Resize};
use crate::json::from_json;

/// The file, with transformers' own names.
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
    /// relprop's own key, for timm's way to cut.
    #[serde(skip_serializing_if = "Option::is_none")]
    crop_margin_to_even: Option<bool>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

/// A height and a width, one number, or the shorter side alone.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Size {
    Number(usize),
    Sides(Sides),
    Shorter(Shorter),
    Other(Value),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sides {
    height: usize,
    width: usize,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Shorter {
    shortest_edge: usize,
}

impl Size {
    fn square(side: usize) -> Self {
        let [height, width] = [side; 2];
        Self::Sides(Sides { height, width })
    }

    fn shorter(shortest_edge: usize) -> Self {
        Self::Shorter(Shorter { shortest_edge })
    }

    /// What it is resized to; one number alone is of both sides, or of the shorter one.
    fn resize(&self, key: &str, number_is_shorter: bool) -> Result<Resize, String> {
        let resize = match self {
            Self::Number(side) if number_is_shorter => Resize::Shorter(*side),
            Self::Number(side) => Resize::To([*side; 2]),
            Self::Sides(sides) => Resize::To([sides.height, sides.width]),
            Self::Shorter(shorter) => Resize::Shorter(shorter.shortest_edge),
            Self::Other(value) => {
                let message =
                    "only a `height` and a `width`, a `shortest_edge`, or one number are supported";
                return Err(format!("`{key}` is {value}; {message}"));
            }
        };
        let fits = |side: usize| (1..=LARGEST).contains(&side);
        let fits = resize.least().into_iter().all(fits);
        fits.then_some(resize)
            .ok_or_else(|| format!("`{key}` must be from 1 to {LARGEST}"))
    }

    fn sides(&self, key: &str) -> Result<[usize; 2], String> {
        match self.resize(key, false)? {
            Resize::To(sides) => Ok(sides),
            Resize::Shorter(_) => Err(format!(
                "`{key}` gives the shorter side alone; it must give both"
            )),
        }
    }
}

impl From<Resize> for Size {
    fn from(resize: Resize) -> Self {
        match resize {
            Resize::To([height, width]) => Self::Sides(Sides { height, width }),
            Resize::Shorter(shortest_edge) => Self::shorter(shortest_edge),
        }
    }
}

/// What a type of preprocessor does where its file says nothing.
struct Usual {
    /// Its name in transformers begins so: `ViTImageProcessor`, `ViTFeatureExtractor`.
    name: &'static str,
    size: usize,
    /// Whether the size is that of the shorter side.
    shorter: bool,
    /// Whether one number in the file is the size of the shorter side.
    number_is_shorter: bool,
    filter: Filter,
    crops: bool,
    /// Whether pictures are scaled by the mean and deviation of CLIP's pictures.
    of_clip: bool,
}

/// The first is that of a file without a type.
const USUAL: [Usual; 6] = [
    VIT,
    Usual {
        name: "DeiT",
        size: 256,
        filter: Filter::Bicubic,
        crops: true,
        ..VIT
    },
    Usual {
        name: "Beit",
        filter: Filter::Bicubic,
        ..VIT
    },
    Usual {
        name: "Siglip",
        number_is_shorter: true,
        filter: Filter::Bicubic,
        ..VIT
    },
    Usual {
        name: "Bit",
        ..CLIP
    },
    CLIP,
];

const VIT: Usual = Usual {
    name: "ViT",
    size: 224,
    shorter: false,
    number_is_shorter: false,
    filter: Filter::Bilinear,
    crops: false,
    of_clip: false,
};

const CLIP: Usual = Usual {
    name: "CLIP",
    size: 224,
    shorter: true,
    number_is_shorter: true,
    filter: Filter::Bicubic,
    crops: true,
    of_clip: true,
};

const CLIP_MEAN: [f64; 3] = [0.48145466, 0.4578275, 0.40821073];
const CLIP_DEVIATION: [f64; 3] = [0.26862954, 0.26130258, 0.27577711];

/// What a type does, which is in transformers the name of a class.
fn usual(class: Option<&str>) -> Result<&'static Usual, String> {
    let Some(class) = class else {
        return Ok(&USUAL[0]);
    };
    let ends = [
        "ImageProcessor",
        "ImageProcessorFast",
        "ImageProcessorPil",
        "FeatureExtractor",
    ];
    let is = |usual: &&Usual| {
        let end = class.strip_prefix(usual.name);
        end.is_some_and(|end| ends.contains(&end))
    };
    USUAL.iter().find(is).ok_or_else(|| {
        let known = USUAL
            .map(|usual| format!("`{}ImageProcessor`", usual.name))
            .join(", ");
        format!("`image_processor_type` is {class:?}; relprop knows {known}")
    })
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
        let usual = usual(file.image_processor_type.as_deref())?;
        let filter = match file.resample {
            None => usual.filter,
            Some(number) => *Filter::ALL.get(number).ok_or_else(|| {
                format!("`resample` is {number}; it must be from 0 to 5, as Pillow numbers filters")
            })?,
        };
        let size = file.size.unwrap_or_else(|| match usual.shorter {
            true => Size::shorter(usual.size),
            false => Size::square(usual.size),
        });
        let resize = file.do_resize.unwrap_or(true);
        let resize = resize.then(|| size.resize("size", usual.number_is_shorter));
        let resize = resize.transpose()?;
        let crop_size = file.crop_size.unwrap_or(Size::square(224));
        let crop = file.do_center_crop.unwrap_or(usual.crops);
        let crop = crop.then(|| crop_size.sides("crop_size")).transpose()?;

        let scale = |given: Option<Vec<f64>>, clip: [f64; 3]| {
            given.unwrap_or_else(|| match usual.of_clip {
                true => clip.to_vec(),
                false => vec![0.5; 3],
            })
        };
        let mean = scale(file.image_mean, CLIP_MEAN);
        let deviation = scale(file.image_std, CLIP_DEVIATION);
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
            resize: resize.map(|size| (size, filter)),
            crop,
            margin_to_even: file.crop_margin_to_even.unwrap_or(false),
            factor,
            normalize: normalize.then_some((mean, deviation)),
        })
    }

    /// Writes `preprocessor_config.json`, as transformers reads it.
    pub fn to_json(&self) -> String {
        let filter = self.resize.map_or(Filter::Bilinear, |(_, filter)| filter);
        let file = File {
            image_processor_type: Some("ViTImageProcessor".to_owned()),
            do_resize: Some(self.resize.is_some()),
            size: self.resize.map(|(resize, _)| resize.into()),
            resample: Filter::ALL.iter().position(|known| *known == filter),
            do_center_crop: self.crop.map(|_| true),
            crop_size: self.crop.map(|sides| Resize::To(sides).into()),
            crop_margin_to_even: self.margin_to_even.then_some(true),
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
}
