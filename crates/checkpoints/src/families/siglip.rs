//! SigLIP (Zhai et al. 2023): its tower for pictures, which classifies them by the mean of its patches.

use relprop_rules::operations::{Activation, NormScale};
use relprop_transformer::{Distillation, Head, TransformerConfig};
use serde_json::{Map, Value, json};

use super::vit;
use crate::Family;
use crate::family::{Keys, Names};
use crate::keys::{CLASSES, EPSILON, Key, feed_forward};

/// SigLIP's tower for pictures under a classifier.
pub static LABELS: Family = Family {
    name: "siglip",
    architecture: Some("SiglipForImageClassification"),
    start,
    keys: &[&[("vision_config", VISION)], CLASSES],
    // Of the tower for texts.
    ignored_keys: &["text_config", "initializer_factor"],
    base: "vision_model",
    tensors: &[TENSORS],
    ignored_tensors: POOLING_HEAD,
    ..vit::VIT
};

/// The tower for pictures, as a part of the file describes it.
static TOWER: Family = Family {
    name: "siglip_vision_model",
    architecture: None,
    start,
    keys: &[KEYS],
    // The pooling of another head, and the width of vectors.
    ignored_keys: &[
        "vision_use_head",
        "projection_dim",
        "projection_size",
        "initializer_factor",
    ],
    ..LABELS
};

const VISION: Key = Key::Derived {
    read: |config, value| match value {
        None | Some(Value::Null) => Ok(()),
        Some(part) => TOWER.read_part(config, part),
    },
    write: |config| {
        let keys = KEYS.iter();
        let keys = keys.map(|(name, key)| ((*name).to_owned(), key.write(config)));
        let mut part: Map<_, _> = keys.filter(|(_, value)| !value.is_null()).collect();
        part.insert("model_type".to_owned(), json!(TOWER.name));
        part.into()
    },
};

#[rustfmt::skip]
const KEYS: Keys = &[
    ("hidden_size", Key::Size(|c| &mut c.width)),
    ("num_hidden_layers", Key::Size(|c| &mut c.blocks)),
    ("num_attention_heads", Key::Size(|c| &mut c.heads)),
    ("intermediate_size", Key::Size(|c| &mut feed_forward(c).width)),
    ("hidden_act", Key::Activation(|c| &mut feed_forward(c).activation)),
    ("layer_norm_eps", EPSILON),
    ("attention_dropout", Key::Number(|c| &mut c.attention_dropout)),
    ("image_size", vit::PICTURE),
    ("patch_size", vit::PATCH),
    ("num_channels", vit::CHANNELS),
];

#[rustfmt::skip]
const TENSORS: Names = &[
    ("embeddings.position", "$.embeddings.position_embedding.weight"),
    ("embeddings.patch", "$.embeddings.patch_embedding"),
    ("encoder.{}.attention.query", "$.encoder.layers.{}.self_attn.q_proj"),
    ("encoder.{}.attention.key", "$.encoder.layers.{}.self_attn.k_proj"),
    ("encoder.{}.attention.value", "$.encoder.layers.{}.self_attn.v_proj"),
    ("encoder.{}.attention.output", "$.encoder.layers.{}.self_attn.out_proj"),
    ("encoder.{}.attention_norm", "$.encoder.layers.{}.layer_norm1"),
    ("encoder.{}.feed_forward.up", "$.encoder.layers.{}.mlp.fc1"),
    ("encoder.{}.feed_forward.down", "$.encoder.layers.{}.mlp.fc2"),
    ("encoder.{}.feed_forward_norm", "$.encoder.layers.{}.layer_norm2"),
    ("final_norm", "$.post_layernorm"),
];

const POOLING_HEAD: &[&str] = &[
    "$.embeddings.position_ids",
    "$.head.probe",
    "$.head.attention.in_proj_weight",
    "$.head.attention.in_proj_bias",
    "$.head.attention.out_proj.weight",
    "$.head.attention.out_proj.bias",
    "$.head.layernorm.weight",
    "$.head.layernorm.bias",
    "$.head.mlp.fc1.weight",
    "$.head.mlp.fc1.bias",
    "$.head.mlp.fc2.weight",
    "$.head.mlp.fc2.bias",
];

/// The tower of SigLIP-Base on pictures of 224 x 224 pixels.
fn start() -> TransformerConfig {
    let mut config = TransformerConfig {
        head: Head::LabelsOfMean,
        ..vit::start(Distillation::Absent)
    };
    config.norm.scale = NormScale::InsideRoot(1e-6);
    feed_forward(&mut config).activation = Activation::GeluTanh;
    vit::set(&mut config, |patches| patches.unclassed = true);
    config
}
