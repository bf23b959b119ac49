//! Models of OpenCLIP: `open_clip_config.json` describes both towers and how pictures are read, and tensors have OpenCLIP's
//! names.
//!
//! What it describes is written as transformers describes it, and read as that. Of OpenCLIP's models, those of CLIP's own two
//! Transformers are read.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Map, Value, json};

use crate::families::clip;
use crate::family::Names;
use crate::files::Files;
use crate::keys::{KeyError, flag, number, size};
use crate::weights::{Stored, WeightFiles};
use crate::{CheckpointError, Family, Filter, Preprocessor, Resize};

/// The file that describes a model of OpenCLIP.
const CONFIG: &str = "open_clip_config.json";

/// OpenCLIP's names of the tower for texts.
pub(crate) static TEXT: Family = Family {
    base: "transformer",
    tensors: &[BLOCKS, TEXT_TENSORS],
    untransposed: &["classifier"],
    ignored_tensors: &[],
    ..clip::TEXT
};

/// OpenCLIP's names of the tower for pictures.
pub(crate) static PICTURE: Family = Family {
    base: "visual.transformer",
    tensors: &[BLOCKS, PICTURE_TENSORS],
    untransposed: &["classifier"],
    ignored_tensors: &[],
    ..clip::PICTURE
};

#[rustfmt::skip]
const TEXT_TENSORS: Names = &[
    ("embeddings.word", "token_embedding"),
    ("embeddings.position", "positional_embedding"),
    ("final_norm", "ln_final"),
    ("classifier", "text_projection"),
];

#[rustfmt::skip]
const PICTURE_TENSORS: Names = &[
    ("embeddings.class_token", "visual.class_embedding"),
    ("embeddings.position", "visual.positional_embedding.weight"),
    ("embeddings.patch", "visual.conv1"),
    ("embeddings.norm", "visual.ln_pre"),
    ("final_norm", "visual.ln_post"),
    ("classifier", "visual.proj"),
];

#[rustfmt::skip]
const BLOCKS: Names = &[
    ("encoder.{}.attention.query", "$.resblocks.{}.attn.in_proj"),
    ("encoder.{}.attention.key", "$.resblocks.{}.attn.in_proj"),
    ("encoder.{}.attention.value", "$.resblocks.{}.attn.in_proj"),
    ("encoder.{}.attention.output", "$.resblocks.{}.attn.out_proj"),
    ("encoder.{}.attention_norm", "$.resblocks.{}.ln_1"),
    ("encoder.{}.feed_forward.up", "$.resblocks.{}.mlp.c_fc"),
    ("encoder.{}.feed_forward.down", "$.resblocks.{}.mlp.c_proj"),
    ("encoder.{}.feed_forward_norm", "$.resblocks.{}.ln_2"),
];

/// What a tower's keys may say, and nothing else: what is not listed is not computed.
#[rustfmt::skip]
const USUAL: &[(&str, &[Usual])] = &[
    ("ls_init_value", &[Usual::Null]),
    ("patch_dropout", &[Usual::Anything]),
    ("attentional_pool", &[Usual::False]),
    ("attn_pooler_queries", &[Usual::Anything]),
    ("attn_pooler_heads", &[Usual::Anything]),
    ("no_ln_pre", &[Usual::False]),
    ("pos_embed_type", &[Usual::Name("learnable")]),
    ("final_ln_after_pool", &[Usual::False]),
    ("pool_type", &[Usual::Name("tok"), Usual::Name("argmax")]),
    ("output_tokens", &[Usual::Anything]),
    ("act_kwargs", &[Usual::Null]),
    ("norm_kwargs", &[Usual::Null]),
    ("block_type", &[Usual::Null, Usual::Name("default")]),
    ("qk_norm", &[Usual::False]),
    ("scaled_cosine_attn", &[Usual::False]),
    ("scale_heads", &[Usual::False]),
    ("scale_attn_inner", &[Usual::False]),
    ("scale_attn", &[Usual::False]),
    ("scale_fc", &[Usual::False]),
    ("timm_model_name", &[Usual::Null]),
    ("timm_model_pretrained", &[Usual::Anything]),
    ("timm_pool", &[Usual::Anything]),
    ("timm_proj", &[Usual::Anything]),
    ("timm_proj_bias", &[Usual::Anything]),
    ("timm_drop", &[Usual::Anything]),
    ("timm_drop_path", &[Usual::Anything]),
    // The tokenizer is that of the folder.
    ("hf_tokenizer_name", &[Usual::Anything]),
    ("tokenizer_mode", &[Usual::Null]),
    ("tokenizer_kwargs", &[Usual::Null]),
    ("embed_cls", &[Usual::False]),
    // Tokens see no later ones, so what stands behind a text changes nothing.
    ("pad_id", &[Usual::Anything]),
    ("eos_id", &[Usual::Anything]),
    ("no_causal_mask", &[Usual::False]),
    ("proj_bias", &[Usual::False]),
    ("proj_type", &[Usual::Name("linear")]),
    ("hf_model_name", &[Usual::Null]),
    ("hf_model_pretrained", &[Usual::Anything]),
    ("hf_proj_type", &[Usual::Anything]),
    ("hf_pooler_type", &[Usual::Anything]),
];

/// A value that changes nothing.
#[derive(Clone, Copy)]
enum Usual {
    Anything,
    Null,
    False,
    Name(&'static str),
}

impl Usual {
    fn is(self, value: &Value) -> bool {
        match self {
            Self::Anything => true,
            Self::Null => value.is_null(),
            Self::False => *value == false,
            Self::Name(name) => value == name,
        }
    }

    fn name(self) -> String {
        match self {
            Self::Anything => "anything".to_owned(),
            Self::Null => "null".to_owned(),
            Self::False => "false".to_owned(),
            Self::Name(name) => format!("`{name}`"),
        }
    }
}

/// A model of OpenCLIP, as its `open_clip_config.json` describes it.
pub(crate) struct OpenClip {
    pub(crate) path: PathBuf,
    /// The same as a `config.json` of transformers.
    pub(crate) config: String,
    pub(crate) preprocessor: Preprocessor,
}

impl OpenClip {
    /// Reads the description, if the model is one of OpenCLIP alone: transformers' weights go first.
    ///
    /// # Errors
    ///
    /// [`CheckpointError::Config`], which names the key that is not supported.
    pub(crate) fn among(files: &Files) -> Result<Option<Self>, CheckpointError> {
        let Some(file) = files
            .get(CONFIG)
            .filter(|_| WeightFiles::find(files).is_err())
        else {
            return Ok(None);
        };
        let path = file.path().to_owned();
        let json: Value = serde_json::from_str(&file.text()?).unwrap_or_default();
        let read = config(&json["model_cfg"])
            .and_then(|(config, side)| Ok((config, preprocessor(&json["preprocess_cfg"], side)?)));
        match read {
            Ok((config, preprocessor)) => Ok(Some(Self {
                path,
                config: config.to_string(),
                preprocessor,
            })),
            Err(message) => Err(CheckpointError::Config { path, message }),
        }
    }
}

/// Tensors under names that end as those of transformers do: parts of a module behind a dot.
pub(crate) fn renamed(stored: BTreeMap<String, Stored>) -> BTreeMap<String, Stored> {
    let rename = |name: String| {
        // The tower for texts has a place of its own in some files.
        let name = name.strip_prefix("text.").unwrap_or(&name).to_owned();
        match name.as_str() {
            "text_projection"
            | "positional_embedding"
            | "visual.proj"
            | "visual.positional_embedding" => name + ".weight",
            _ => name.replace("attn.in_proj_", "attn.in_proj."),
        }
    };
    (stored.into_iter())
        .map(|(name, tensor)| (rename(name), tensor))
        .collect()
}

/// The `config.json` that says the same, and the side of a picture.
fn config(model: &Value) -> Result<(Value, usize), String> {
    let model = object(model, "model_cfg")?;
    let of = |key: &'static str| {
        let found = object(model.get(key).unwrap_or(&Value::Null), key)?;
        Ok::<_, String>(Part { key, found })
    };
    let (text, picture) = (of("text_cfg")?, of("vision_cfg")?);
    let mut features = None;
    let mut activation = "gelu";
    for (key, value) in model {
        let read = match key.as_str() {
            "embed_dim" => size(value).map(|width| features = Some(width)),
            "quick_gelu" => flag(value).map(|quick| {
                if quick {
                    activation = "quick_gelu";
                }
            }),
            // Where the tensors of texts are called otherwise, `renamed` has it.
            "text_cfg" | "vision_cfg" | "custom_text" | "init_logit_scale" | "cast_dtype"
            | "output_dict" => Ok(()),
            "init_logit_bias" if value.is_null() => Ok(()),
            "nonscalar_logit_scale" if *value == false => Ok(()),
            _ => Err(KeyError::new(format!(
                "is {value}, which relprop does not compute"
            ))),
        };
        read.map_err(|error| format!("`model_cfg` has `{key}`, which {error}"))?;
    }
    let features = features.ok_or("`model_cfg` has no `embed_dim`")?;
    text.check(&["context_length", "vocab_size", "heads"])?;
    picture.check(&["patch_size", "image_size", "head_width"])?;
    let [of_text, of_picture] = [(&text, 512), (&picture, 768)].map(|(part, width)| {
        let width = part.size("width", width)?;
        let ratio = part.number("mlp_ratio", 4.0)?;
        Ok::<_, String>(json!({
            "hidden_size": width,
            "num_hidden_layers": part.size("layers", 12)?,
            "intermediate_size": (width as f64 * ratio) as usize,
            "hidden_act": activation,
        }))
    });
    let (mut of_text, mut of_picture) = (of_text?, of_picture?);
    of_text["num_attention_heads"] = text.size("heads", 8)?.into();
    of_text["vocab_size"] = text.size("vocab_size", 49408)?.into();
    of_text["max_position_embeddings"] = text.size("context_length", 77)?.into();
    // The token of the largest id stands for the text.
    of_text["eos_token_id"] = 2.into();
    let side = picture.size("image_size", 224)?;
    let heads = picture.size("width", 768)? / picture.size("head_width", 64)?.max(1);
    of_picture["num_attention_heads"] = heads.into();
    of_picture["patch_size"] = picture.size("patch_size", 16)?.into();
    of_picture["image_size"] = side.into();
    let config = json!({
        "model_type": "clip",
        "architectures": ["CLIPModel"],
        "projection_dim": features,
        "text_config": of_text,
        "vision_config": of_picture,
    });
    Ok((config, side))
}

/// What `model_cfg` says of a tower.
struct Part<'c> {
    key: &'static str,
    found: &'c Map<String, Value>,
}

impl Part<'_> {
    fn wrong(&self, key: &str, error: &KeyError) -> String {
        format!("`{}` has `{key}`, which {error}", self.key)
    }

    fn size(&self, key: &str, usual: usize) -> Result<usize, String> {
        let found = self.found.get(key).map_or(Ok(usual), size);
        found.map_err(|error| self.wrong(key, &error))
    }

    fn number(&self, key: &str, usual: f64) -> Result<f64, String> {
        let found = self.found.get(key).map_or(Ok(usual), number);
        found.map_err(|error| self.wrong(key, &error))
    }

    /// Checks that nothing else is said than what is read, which this tower has beside what both have, and what is
    /// usual.
    fn check(&self, own: &[&str]) -> Result<(), String> {
        for (key, value) in self.found {
            if own.contains(&key.as_str()) || ["width", "layers", "mlp_ratio"].contains(&&**key) {
                continue;
            }
            let known = USUAL.iter().find(|(known, _)| known == key);
            let error = match known {
                Some((_, usual)) if usual.iter().any(|usual| usual.is(value)) => continue,
                Some((_, usual)) => {
                    let usual: Vec<String> = usual.iter().map(|usual| usual.name()).collect();
                    KeyError::only(value, &usual.join(" or "))
                }
                None => KeyError::new(format!("is {value}, and relprop does not know it")),
            };
            return Err(self.wrong(key, &error));
        }
        Ok(())
    }
}

fn object<'v>(value: &'v Value, key: &str) -> Result<&'v Map<String, Value>, String> {
    let found = value.as_object();
    found.ok_or_else(|| format!("`{key}` is {value}; it must be an object"))
}

/// How pictures are read, as OpenCLIP's `image_transform` does it.
fn preprocessor(settings: &Value, side: usize) -> Result<Preprocessor, String> {
    let said = |key: &str| settings.get(key).filter(|value| !value.is_null());
    let wrong = |key: &str, what: &str| {
        let value = &settings[key];
        format!("`preprocess_cfg` has `{key}`, which is {value}; it must be {what}")
    };
    let numbers = |key: &str, usual: [f64; 3]| match said(key) {
        None => Ok(usual.to_vec()),
        Some(value) => {
            let numbers = value.as_array().into_iter().flatten().map(Value::as_f64);
            let numbers: Option<Vec<f64>> = numbers.collect();
            let numbers = numbers.filter(|numbers| numbers.len() == 3);
            numbers.ok_or_else(|| wrong(key, "three numbers"))
        }
    };
    let filter = match said("interpolation").map(Value::as_str) {
        None | Some(Some("bicubic" | "random")) => Filter::Bicubic,
        Some(Some("bilinear")) => Filter::Bilinear,
        Some(_) => return Err(wrong("interpolation", "`bicubic` or `bilinear`")),
    };
    let (resize, crop) = match said("resize_mode").map(Value::as_str) {
        None | Some(Some("shortest")) => (Resize::Shorter(side), Some([side; 2])),
        Some(Some("squash")) => (Resize::To([side; 2]), None),
        Some(_) => return Err(wrong("resize_mode", "`shortest` or `squash`")),
    };
    Ok(Preprocessor {
        resize: Some((resize, filter)),
        crop,
        margin_to_even: true,
        factor: 1.0 / 255.0,
        normalize: Some((
            numbers("mean", [0.481_454_66, 0.457_827_5, 0.408_210_73])?,
            numbers("std", [0.268_629_54, 0.261_302_58, 0.275_777_11])?,
        )),
    })
}

#[cfg(test)]
mod tests;
