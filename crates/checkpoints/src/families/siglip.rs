//! SigLIP (Zhai et al. 2023) and SigLIP 2 (Tschannen et al. 2025): a tower for texts and one for pictures, whose vectors are
//! compared; and the tower for pictures under a classifier, which reads the mean of its patches.

use relprop_rules::operations::{Activation, NormScale};
use relprop_transformer::{
    Dense, Distillation, Head, Probabilities, TransformerConfig, VectorPooling,
};
use serde_json::{Map, Value, json};

use super::clip::{self, BLOCKS, SIZES, TEXT_TENSORS, part, set_width};
use super::vit;
use crate::Family;
use crate::family::{Keys, Names};
use crate::keys::{CLASSES, Key, PADDING, VOCABULARY, feed_forward, size};
use crate::towers::Pair;

/// Both towers.
pub static SIGLIP: Pair = Pair {
    text: &Family {
        name: "siglip",
        architecture: Some("SiglipModel"),
        start: || clip::compared(text()),
        keys: &[&[(
            "text_config",
            part(|config, part| TEXT.read_part(config, part)),
        )]],
        ignored_keys: &["vision_config"],
        ..TEXT
    },
    picture: &Family {
        name: "siglip",
        architecture: Some("SiglipModel"),
        start: || clip::compared(tower()),
        keys: &[&[(
            "vision_config",
            part(|config, part| PICTURE.read_part(config, part)),
        )]],
        ignored_keys: &["text_config"],
        ..PICTURE
    },
    alone: [&TEXT, &PICTURE],
    probabilities: Probabilities::Sigmoid,
    biased: true,
};

/// The tower for texts alone.
pub static TEXT: Family = Family {
    name: "siglip_text_model",
    architecture: Some("SiglipTextModel"),
    start: text,
    keys: &[TEXT_KEYS, SIZES, &[("projection_size", PROJECTION)]],
    ignored_keys: &[],
    base: "text_model",
    tensors: &[TEXT_TENSORS, BLOCKS, &[("classifier", "$.head")]],
    ignored_tensors: &["$.embeddings.position_ids"],
    ..vit::VIT
};

/// The tower for pictures alone: a query that was learned attends to the patches.
pub static PICTURE: Family = Family {
    name: "siglip_vision_model",
    architecture: Some("SiglipVisionModel"),
    start: tower,
    keys: &[
        SIZES,
        PICTURE_KEYS,
        &[("vision_use_head", Key::Only("true"))],
    ],
    ignored_keys: &[],
    base: "vision_model",
    tensors: &[PICTURE_TENSORS, BLOCKS, POOLING],
    ignored_tensors: &["$.embeddings.position_ids"],
    ..vit::VIT
};

/// SigLIP's tower for pictures under a classifier.
pub static LABELS: Family = Family {
    name: "siglip",
    architecture: Some("SiglipForImageClassification"),
    start,
    keys: &[&[("vision_config", VISION)], CLASSES],
    // Of the tower for texts.
    ignored_keys: &["text_config", "initializer_factor"],
    base: "vision_model",
    tensors: &[PICTURE_TENSORS, BLOCKS],
    ignored_tensors: POOLING_HEAD,
    ..vit::VIT
};

/// The tower for pictures, as a part of the classifier's file describes it.
static TOWER: Family = Family {
    name: "siglip_vision_model",
    architecture: None,
    start,
    keys: &[SIZES, PICTURE_KEYS],
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
        let keys = SIZES.iter().chain(PICTURE_KEYS);
        let keys = keys.map(|(name, key)| ((*name).to_owned(), key.write(config)));
        let mut part: Map<_, _> = keys.filter(|(_, value)| !value.is_null()).collect();
        part.insert("model_type".to_owned(), json!(TOWER.name));
        part.into()
    },
};

#[rustfmt::skip]
const TEXT_KEYS: Keys = &[
    ("vocab_size", VOCABULARY),
    ("max_position_embeddings", Key::Size(|c| &mut c.positions)),
    ("pad_token_id", PADDING),
];

#[rustfmt::skip]
const PICTURE_KEYS: Keys = &[
    ("image_size", vit::PICTURE),
    ("patch_size", vit::PATCH),
    ("num_channels", vit::CHANNELS),
];

/// The width of a vector: that of the states, if it is not said. It stands after that.
const PROJECTION: Key = Key::Derived {
    read: |config, value| {
        let said = value.filter(|value| !value.is_null()).map(size);
        let width = said.transpose()?.unwrap_or(config.width);
        set_width(config, width);
        Ok(())
    },
    write: |config| json!(config.logits()),
};

#[rustfmt::skip]
const PICTURE_TENSORS: Names = &[
    ("embeddings.position", "$.embeddings.position_embedding.weight"),
    ("embeddings.patch", "$.embeddings.patch_embedding"),
    ("final_norm", "$.post_layernorm"),
];

#[rustfmt::skip]
const POOLING: Names = &[
    ("attention_pooling.probe", "$.head.probe"),
    ("attention_pooling.attention.query.weight", "$.head.attention.in_proj_weight"),
    ("attention_pooling.attention.key.weight", "$.head.attention.in_proj_weight"),
    ("attention_pooling.attention.value.weight", "$.head.attention.in_proj_weight"),
    ("attention_pooling.attention.query.bias", "$.head.attention.in_proj_bias"),
    ("attention_pooling.attention.key.bias", "$.head.attention.in_proj_bias"),
    ("attention_pooling.attention.value.bias", "$.head.attention.in_proj_bias"),
    ("attention_pooling.attention.output", "$.head.attention.out_proj"),
    ("attention_pooling.norm", "$.head.layernorm"),
    ("attention_pooling.feed_forward.up", "$.head.mlp.fc1"),
    ("attention_pooling.feed_forward.down", "$.head.mlp.fc2"),
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
    let mut config = gelu(TransformerConfig {
        head: Head::LabelsOfMean,
        ..vit::start(Distillation::Absent)
    });
    vit::set(&mut config, |patches| patches.unclassed = true);
    config
}

/// The same with the learned query that pools.
fn tower() -> TransformerConfig {
    TransformerConfig {
        head: clip::head(VectorPooling::Attention, None),
        labels: Vec::new(),
        ..start()
    }
}

/// The tower for texts of SigLIP-Base.
fn text() -> TransformerConfig {
    let dense = Dense {
        width: 768,
        bias: true,
        activation: None,
    };
    let head = clip::head(VectorPooling::Last, Some(dense));
    TransformerConfig {
        filled: true,
        ..gelu(clip::of_texts(32000, [768, 12, 12, 3072, 64], head))
    }
}

fn gelu(mut config: TransformerConfig) -> TransformerConfig {
    config.norm.scale = NormScale::InsideRoot(1e-6);
    feed_forward(&mut config).activation = Activation::GeluTanh;
    config
}
