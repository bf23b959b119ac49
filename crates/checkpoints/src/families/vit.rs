//! ViT (Dosovitskiy et al. 2021) and DeiT (Touvron et al. 2021), for image classification and for vectors of pictures.

use serde_json::{Value, json};

use super::bert;
use crate::Family;
use crate::family::{Keys, Names};
use crate::keys::{CLASSES, EPSILON, Key, KeyError, feed_forward, numbered, size};
use relprop_transformer::{
    Distillation, Head, InputConfig, PatchConfig, TransformerConfig, VectorPooling,
};

/// ViT.
pub static VIT: Family = Family {
    name: "vit",
    architecture: Some("ViTForImageClassification"),
    start: || start(Distillation::Absent),
    keys: &[KEYS, CLASSES],
    // Of models that draw what was hidden, and of a pooler that no classifier has.
    ignored_keys: &["encoder_stride", "pooler_act", "pooler_output_size"],
    base: "vit",
    tensors: &[TENSORS],
    variants: &[],
    grouped: &[],
    stacked: &[],
    untransposed: &[],
    ignored_tensors: &["$.pooler.dense.weight", "$.pooler.dense.bias"],
};

/// ViT that makes a vector of a picture: the state of the class token, without the pooler that transformers puts after it.
pub static VECTOR: Family = Family {
    architecture: Some("ViTModel"),
    start: || vector(start(Distillation::Absent), VectorPooling::First),
    keys: &[KEYS],
    ..VIT
};

/// DeiT with the distillation token, whose classifier is as good as the other.
pub static DEIT: Family = Family {
    name: "deit",
    architecture: Some("DeiTForImageClassificationWithTeacher"),
    start: || start(Distillation::Averaged),
    base: "deit",
    tensors: &[TENSORS, &[("classifier", "cls_classifier")]],
    ..VIT
};

/// DeiT with the distillation token, but one classifier, over the class token.
pub static DEIT_ALONE: Family = Family {
    architecture: Some("DeiTForImageClassification"),
    start: || start(Distillation::Unread),
    tensors: &[TENSORS],
    ..DEIT
};

/// DeiT that makes a vector of a picture, as ViT does.
pub static DEIT_VECTOR: Family = Family {
    architecture: Some("DeiTModel"),
    start: || vector(start(Distillation::Unread), VectorPooling::First),
    keys: &[KEYS],
    ..DEIT_ALONE
};

#[rustfmt::skip]
const KEYS: Keys = &[
    ("hidden_size", Key::Size(|c| &mut c.width)),
    ("num_hidden_layers", Key::Size(|c| &mut c.blocks)),
    ("num_attention_heads", Key::Size(|c| &mut c.heads)),
    ("intermediate_size", Key::Size(|c| &mut feed_forward(c).width)),
    ("hidden_act", Key::Activation(|c| &mut feed_forward(c).activation)),
    ("layer_norm_eps", EPSILON),
    ("hidden_dropout_prob", Key::Number(|c| &mut c.dropout)),
    ("attention_probs_dropout_prob", Key::Number(|c| &mut c.attention_dropout)),
    ("initializer_range", Key::Number(|c| &mut c.initializer_range)),
    ("image_size", PICTURE),
    ("patch_size", PATCH),
    ("num_channels", CHANNELS),
    ("qkv_bias", Key::Only("true")),
    ("pruned_heads", Key::Only("{}")),
];

/// `image_size`: the height and the width of a picture.
pub const PICTURE: Key = Key::Custom {
    required: false,
    read: |config, value| {
        let picture = sides(value)?;
        set(config, |patches| patches.picture = picture);
        Ok(())
    },
    write: |config| written(config.patches().map(|patches| patches.picture)),
};

/// The same where transformers reads the places of patches in a table of as many rows as columns.
pub const SQUARE_PICTURE: Key = Key::Custom {
    required: false,
    read: |config, value| {
        let [height, width] = sides(value)?;
        if height != width {
            return Err(KeyError::only(value, "a height that is the width"));
        }
        set(config, |patches| patches.picture = [height, width]);
        Ok(())
    },
    write: |config| written(config.patches().map(|patches| patches.picture)),
};

/// `patch_size`: the height and the width of a patch.
pub const PATCH: Key = Key::Custom {
    required: false,
    read: |config, value| {
        let patch = sides(value)?;
        set(config, |patches| patches.patch = patch);
        Ok(())
    },
    write: |config| written(config.patches().map(|patches| patches.patch)),
};

/// `num_channels`: how many channels a picture has.
pub const CHANNELS: Key = Key::Custom {
    required: false,
    read: |config, value| {
        let channels = size(value)?;
        set(config, |patches| patches.channels = channels);
        Ok(())
    },
    write: |config| json!(config.patches().map(|patches| patches.channels)),
};

#[rustfmt::skip]
const TENSORS: Names = &[
    ("embeddings.class_token", "$.embeddings.cls_token"),
    ("embeddings.distillation_token", "$.embeddings.distillation_token"),
    ("embeddings.position", "$.embeddings.position_embeddings"),
    ("embeddings.patch", "$.embeddings.patch_embeddings.projection"),
    ("encoder.{}.attention.query", "$.encoder.layer.{}.attention.attention.query"),
    ("encoder.{}.attention.key", "$.encoder.layer.{}.attention.attention.key"),
    ("encoder.{}.attention.value", "$.encoder.layer.{}.attention.attention.value"),
    ("encoder.{}.attention.output", "$.encoder.layer.{}.attention.output.dense"),
    ("encoder.{}.attention_norm", "$.encoder.layer.{}.layernorm_before"),
    ("encoder.{}.feed_forward.up", "$.encoder.layer.{}.intermediate.dense"),
    ("encoder.{}.feed_forward.down", "$.encoder.layer.{}.output.dense"),
    ("encoder.{}.feed_forward_norm", "$.encoder.layer.{}.layernorm_after"),
    ("final_norm", "$.layernorm"),
];

/// ViT-Base on pictures of 224 x 224 pixels.
pub(super) fn start(distillation: Distillation) -> TransformerConfig {
    let patches = PatchConfig {
        distillation,
        ..PatchConfig::new([224; 2], [16; 2], 3)
    };
    let vit = TransformerConfig::vit(patches, numbered(2));
    TransformerConfig {
        dropout: 0.0,
        attention_dropout: 0.0,
        ..bert::sizes(vit, [768, 12, 12, 3072, patches.positions()])
    }
}

/// The same model without its classifier.
pub(super) fn vector(config: TransformerConfig, pooling: VectorPooling) -> TransformerConfig {
    TransformerConfig {
        head: Head::Vector {
            second: None,
            pooling,
            dense: None,
            normalized: false,
        },
        labels: Vec::new(),
        ..config
    }
}

/// Changes how pictures are cut, and with it how many tokens they are.
pub(super) fn set(config: &mut TransformerConfig, change: impl FnOnce(&mut PatchConfig)) {
    if let InputConfig::Patches(patches) = &mut config.input {
        change(patches);
        config.positions = patches.positions();
    }
}

/// A height and a width, or one number for both.
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

fn written(sides: Option<[usize; 2]>) -> Value {
    match sides {
        Some([height, width]) if height == width => json!(height),
        sides => json!(sides),
    }
}
