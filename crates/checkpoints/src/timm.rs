//! Models of timm: `config.json` names a network of timm's and how its pictures are read, and tensors have timm's names.
//!
//! ViT, DeiT, DeiT III and EVA are read, of timm's `vision_transformer.py`, `deit.py` and `eva.py`. A network is known by its
//! name, and `model_args` may change its sizes.

use relprop_rules::operations::NormScale;
use relprop_transformer::{
    Distillation, Head, InputConfig, NormConfig, PatchConfig, Placed, TransformerConfig,
};
use serde_json::{Map, Value};

use crate::families::{bert, vit};
use crate::family::Names;
use crate::keys::{KeyError, feed_forward, flag, number, numbered, size};
use crate::{Family, Filter, Preprocessor, Resize};

/// The names of timm's tensors, which transformers puts under a name of its own.
pub(crate) static VIT: Family = Family {
    name: "timm",
    architecture: None,
    base: "timm_model",
    tensors: &[TENSORS],
    variants: &[
        (
            |config| config.norm_after_pooling,
            &[("final_norm", "$.fc_norm")],
        ),
        (|config| config.biases.unbiased_keys, EVA_G),
    ],
    ignored_tensors: &[],
    ..vit::VIT
};

#[rustfmt::skip]
const TENSORS: Names = &[
    ("embeddings.class_token", "$.cls_token"),
    ("embeddings.distillation_token", "$.dist_token"),
    ("embeddings.registers", "$.reg_token"),
    ("embeddings.position", "$.pos_embed"),
    ("embeddings.patch", "$.patch_embed.proj"),
    ("embeddings.norm", "$.norm_pre"),
    ("encoder.{}.attention.query", "$.blocks.{}.attn.qkv"),
    ("encoder.{}.attention.key", "$.blocks.{}.attn.qkv"),
    ("encoder.{}.attention.value", "$.blocks.{}.attn.qkv"),
    ("encoder.{}.attention.output", "$.blocks.{}.attn.proj"),
    ("encoder.{}.attention_norm", "$.blocks.{}.norm1"),
    ("encoder.{}.attention_scale", "$.blocks.{}.ls1.gamma"),
    ("encoder.{}.feed_forward.up", "$.blocks.{}.mlp.fc1"),
    ("encoder.{}.feed_forward.down", "$.blocks.{}.mlp.fc2"),
    ("encoder.{}.feed_forward_norm", "$.blocks.{}.norm2"),
    ("encoder.{}.feed_forward_scale", "$.blocks.{}.ls2.gamma"),
    ("final_norm", "$.norm"),
    ("classifier", "$.head"),
    ("distillation_classifier", "$.head_dist"),
];

/// EVA-g has biases of queries and values beside the map of all three, and none of keys.
#[rustfmt::skip]
const EVA_G: Names = &[
    ("encoder.{}.attention.query.bias", "$.blocks.{}.attn.q_bias"),
    ("encoder.{}.attention.value.bias", "$.blocks.{}.attn.v_bias"),
];

/// A model of timm, as its `config.json` describes it.
pub(crate) struct Timm {
    pub(crate) config: TransformerConfig,
    pub(crate) preprocessor: Preprocessor,
}

impl Timm {
    /// What a `config.json` says; none if it is not timm's.
    pub(crate) fn read(text: &str) -> Option<Result<Self, String>> {
        let json: Value = serde_json::from_str(text).ok()?;
        let is_timm = json["architecture"].is_string()
            && (json["pretrained_cfg"].is_object() || json["model_type"] == "timm_wrapper");
        is_timm.then(|| Self::parse(&json))
    }

    fn parse(json: &Value) -> Result<Self, String> {
        let name = json["architecture"].as_str().unwrap_or_default();
        let pretrained = &json["pretrained_cfg"];
        let mut config = network(name)?;
        let nothing = Map::new();
        let arguments = json["model_args"].as_object().unwrap_or(&nothing);
        let mut pooling = Pooling::usual(&config);
        if let Some(kind) = json.get("global_pool").filter(|kind| !kind.is_null()) {
            let read = pooling.read(kind);
            read.map_err(|error| format!("`global_pool` {error}"))?;
        }
        for (key, value) in arguments {
            let read = argument(&mut config, &mut pooling, key, value);
            read.map_err(|error| format!("`model_args` has `{key}`, which {error}"))?;
        }
        pooling.set(&mut config)?;
        if let InputConfig::Patches(patches) = &config.input {
            config.positions = patches.positions();
        }
        config.labels = labels(json)?;
        let preprocessor = preprocessor(pretrained, &config)?;
        Ok(Self {
            config,
            preprocessor,
        })
    }
}

/// What the head reads. In timm, the last norm stands after a mean, unless `fc_norm` says otherwise.
struct Pooling {
    mean: bool,
    norm_after: Option<bool>,
}

impl Pooling {
    fn usual(config: &TransformerConfig) -> Self {
        Self {
            mean: config.head != Head::Labels,
            norm_after: None,
        }
    }

    fn read(&mut self, value: &Value) -> Result<(), KeyError> {
        self.mean = match value.as_str() {
            Some("token") => false,
            Some("avg") => true,
            _ => return Err(KeyError::only(value, "`token` or `avg`")),
        };
        Ok(())
    }

    fn set(self, config: &mut TransformerConfig) -> Result<(), String> {
        let classed = config.patches().is_some_and(|patches| !patches.unclassed);
        if !self.mean && !classed {
            return Err("the head reads a class token, and there is none".to_owned());
        }
        config.head = match self.mean {
            true => Head::LabelsOfPatches,
            false => Head::Labels,
        };
        config.norm_after_pooling = self.norm_after.unwrap_or(self.mean);
        Ok(())
    }
}

/// A size's name, with the width, the number of blocks and that of heads.
const SIZES: [(&str, [usize; 3]); 7] = [
    ("tiny", [192, 12, 3]),
    ("small", [384, 12, 6]),
    ("medium", [512, 12, 8]),
    ("base", [768, 12, 12]),
    ("large", [1024, 24, 16]),
    ("huge", [1280, 32, 16]),
    ("giant", [1408, 40, 16]),
];

/// The network that timm builds by this name: `vit_base_patch16_224`, `deit_small_distilled_patch16_224`.
fn network(name: &str) -> Result<TransformerConfig, String> {
    let unknown = || {
        format!(
            "`architecture` is {name}; of timm's networks relprop reads vit_SIZE_patchN_N, deit_SIZE_patchN_N, \
             deit_SIZE_distilled_patchN_N and deit3_SIZE_patchN_N, where SIZE is tiny, small, medium, base, large or \
             huge, eva_large_patchN_N and eva_giant_patchN_N"
        )
    };
    let parts: Vec<&str> = name.split('_').collect();
    let (kind, of_size, distilled, patch, picture) = match parts[..] {
        ["deit", size, "distilled", patch, picture] => ("deit", size, true, patch, picture),
        // There, others are called so.
        [_, "giant", ..] if parts[0] != "eva" => return Err(unknown()),
        [kind @ ("vit" | "deit" | "deit3"), size, patch, picture] => {
            (kind, size, false, patch, picture)
        }
        ["eva", size @ ("large" | "giant"), patch, picture] => ("eva", size, false, patch, picture),
        _ => return Err(unknown()),
    };
    let sizes = SIZES.iter().find(|(known, _)| *known == of_size);
    let patch = patch
        .strip_prefix("patch")
        .and_then(|patch| patch.parse().ok());
    let (Some((_, [width, blocks, heads])), Some(patch), Ok(picture)) =
        (sizes, patch, picture.parse())
    else {
        return Err(unknown());
    };
    let patches = PatchConfig {
        distillation: match distilled {
            true => Distillation::Averaged,
            false => Distillation::Absent,
        },
        placed: match kind {
            "deit3" => Placed::Patches,
            _ => Placed::All,
        },
        ..PatchConfig::new([picture; 2], [patch; 2], 3)
    };
    let mut config = TransformerConfig {
        layer_scale: kind == "deit3",
        dropout: 0.0,
        attention_dropout: 0.0,
        ..bert::sizes(
            TransformerConfig::vit(patches, numbered(2)),
            [*width, *blocks, *heads, 4 * width, patches.positions()],
        )
    };
    if kind == "eva" {
        config.head = Head::LabelsOfPatches;
    }
    if of_size == "giant" {
        config.biases.unbiased_keys = true;
        feed_forward(&mut config).width = 6144;
    }
    Ok(with_epsilon(config, 1e-6))
}

fn with_epsilon(mut config: TransformerConfig, epsilon: f64) -> TransformerConfig {
    config.norm.scale = NormScale::InsideRoot(epsilon);
    config.embedding_norm = config.embedding_norm.and(Some(config.norm));
    config
}

/// Sets what an argument of timm's `VisionTransformer` stands for.
fn argument(
    config: &mut TransformerConfig,
    pooling: &mut Pooling,
    key: &str,
    value: &Value,
) -> Result<(), KeyError> {
    let norm = config.norm;
    let InputConfig::Patches(patches) = &mut config.input else {
        return Ok(());
    };
    match key {
        "img_size" => patches.picture = sides(value)?,
        "patch_size" => patches.patch = sides(value)?,
        "in_chans" => patches.channels = size(value)?,
        "class_token" => patches.unclassed = !flag(value)?,
        "no_embed_class" => {
            patches.placed = match flag(value)? {
                true => Placed::Patches,
                false => Placed::All,
            };
        }
        "reg_tokens" => patches.registers = size(value)?,
        "pre_norm" => {
            patches.unbiased = flag(value)?;
            config.embedding_norm = patches.unbiased.then_some(NormConfig { ..norm });
        }
        "embed_dim" => {
            let ratio = feed_forward(config).width as f64 / config.width as f64;
            config.width = size(value)?;
            feed_forward(config).width = (config.width as f64 * ratio) as usize;
        }
        "depth" => config.blocks = size(value)?,
        "num_heads" => config.heads = size(value)?,
        "mlp_ratio" => {
            let ratio = number(value)?;
            if !(ratio > 0.0 && ratio < 1e6) {
                return Err(KeyError::must_be(value, "a small number above 0"));
            }
            feed_forward(config).width = (config.width as f64 * ratio) as usize;
        }
        "qkv_bias" => config.biases.attention = flag(value)?,
        "init_values" => config.layer_scale = !value.is_null(),
        "global_pool" => pooling.read(value)?,
        "fc_norm" => {
            pooling.norm_after = if value.is_null() {
                None
            } else {
                Some(flag(value)?)
            }
        }
        // Of training, of pictures of other sizes, and what `num_classes` says again.
        "drop_rate" | "pos_drop_rate" | "patch_drop_rate" | "proj_drop_rate" | "attn_drop_rate"
        | "drop_path_rate" | "weight_init" | "fix_init" | "dynamic_img_size" | "num_classes" => {}
        _ => {
            return Err(KeyError::new(format!(
                "is {value}; relprop does not know this argument"
            )));
        }
    }
    Ok(())
}

fn sides(value: &Value) -> Result<[usize; 2], KeyError> {
    match value.as_array().map(Vec::as_slice) {
        None => Ok([size(value)?; 2]),
        Some([height, width]) => Ok([size(height)?, size(width)?]),
        Some(_) => Err(KeyError::must_be(
            value,
            "a number, or a height and a width",
        )),
    }
}

/// The labels, by their names, or by their numbers.
fn labels(json: &Value) -> Result<Vec<String>, String> {
    if let Some(names) = json["label_names"].as_array() {
        let names = names.iter().map(|name| name.as_str().map(str::to_owned));
        let names: Option<Vec<String>> = names.collect();
        return names.ok_or_else(|| "`label_names` must be a list of names".to_owned());
    }
    let said = json.get("num_classes").filter(|count| !count.is_null());
    let count = said.unwrap_or(&json["pretrained_cfg"]["num_classes"]);
    match size(count) {
        Ok(0) => Err("`num_classes` is 0; relprop reads timm's networks that classify".to_owned()),
        Ok(count) if count <= 1 << 20 => Ok(numbered(count)),
        _ => Err(format!(
            "`num_classes` is {count}; it must be a number of labels"
        )),
    }
}

/// How pictures are read, as timm's `transforms_imagenet_eval` does it.
fn preprocessor(settings: &Value, config: &TransformerConfig) -> Result<Preprocessor, String> {
    let picture = config.patches().map_or([1; 2], |patches| patches.picture);
    let said = |key: &str| settings.get(key).filter(|value| !value.is_null());
    let wrong = |key: &str, value: &Value, what: &str| {
        format!("`pretrained_cfg` has `{key}`, which is {value}; it must be {what}")
    };
    if let Some([_, height, width]) = said("input_size")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        && [height, width].map(|side| side.as_u64()) != picture.map(|side| Some(side as u64))
    {
        let [rows, columns] = picture;
        let what = format!("that of the network, {rows} x {columns}");
        return Err(wrong("input_size", &settings["input_size"], &what));
    }
    if let Some(border) = said("crop_border_pixels") {
        return Err(wrong("crop_border_pixels", border, "absent"));
    }
    let share = match said("crop_pct") {
        None => 0.875,
        Some(value) => {
            let share = value.as_f64().filter(|share| *share > 0.0 && *share <= 1.0);
            share.ok_or_else(|| wrong("crop_pct", value, "above 0 and at most 1"))?
        }
    };
    let size = picture.map(|side| (side as f64 / share).floor() as usize);
    let resize = match said("crop_mode").map(Value::as_str) {
        None | Some(Some("center")) if size[0] == size[1] => Resize::Shorter(size[0]),
        Some(Some("squash")) => Resize::To(size),
        _ => {
            let what = "`center` for a square picture, or `squash`";
            return Err(wrong("crop_mode", &settings["crop_mode"], what));
        }
    };
    let filter = match said("interpolation").map(Value::as_str) {
        None | Some(Some("bicubic")) => Filter::Bicubic,
        Some(Some("bilinear")) => Filter::Bilinear,
        Some(Some("nearest")) => Filter::Nearest,
        Some(Some("lanczos")) => Filter::Lanczos,
        Some(Some("box")) => Filter::Box,
        Some(Some("hamming")) => Filter::Hamming,
        Some(_) => {
            let what = "the name of one of Pillow's filters";
            return Err(wrong("interpolation", &settings["interpolation"], what));
        }
    };
    let numbers = |key: &str, usual: [f64; 3]| match said(key) {
        None => Ok(usual.to_vec()),
        Some(value) => {
            let numbers = value.as_array().into_iter().flatten().map(Value::as_f64);
            let numbers: Option<Vec<f64>> = numbers.collect();
            let fits = |numbers: &Vec<f64>| !numbers.is_empty();
            numbers
                .filter(fits)
                .ok_or_else(|| wrong(key, value, "a list of numbers"))
        }
    };
    let mean = numbers("mean", [0.485, 0.456, 0.406])?;
    let deviation = numbers("std", [0.229, 0.224, 0.225])?;
    if deviation.len() != mean.len() || deviation.iter().any(|number| *number <= 0.0) {
        return Err(wrong(
            "std",
            &settings["std"],
            "as many numbers above 0 as `mean` has",
        ));
    }
    Ok(Preprocessor {
        resize: Some((resize, filter)),
        crop: Some(picture),
        margin_to_even: true,
        factor: 1.0 / 255.0,
        normalize: Some((mean, deviation)),
    })
}
