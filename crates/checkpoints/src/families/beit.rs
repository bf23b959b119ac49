//! BEiT (Bao et al. 2022), for image classification: places are a learned bias of attention scores, of each block's
//! own, and each part of a block has learned factors.

use relprop_transformer::{
    Distillation, Head, Placed, PositionBias, TransformerConfig, VectorPooling,
};
use serde_json::json;

use super::vit;
use crate::Family;
use crate::family::{Keys, Names};
use crate::keys::{CLASSES, EPSILON, Key, feed_forward, flag, number};

/// BEiT.
pub static BEIT: Family = Family {
    name: "beit",
    architecture: Some("BeitForImageClassification"),
    start,
    keys: &[KEYS, CLASSES],
    // Of the model that draws what was hidden, of one that labels pixels, of a backbone, and of training.
    ignored_keys: &[
        "vocab_size",
        "use_mask_token",
        "drop_path_rate",
        "pool_scales",
        "use_auxiliary_head",
        "auxiliary_loss_weight",
        "auxiliary_channels",
        "auxiliary_num_convs",
        "auxiliary_concat_input",
        "semantic_loss_ignore_index",
        "add_fpn",
        "out_features",
        "out_indices",
        "reshape_hidden_states",
        "segmentation_indices",
        "stage_names",
    ],
    base: "beit",
    tensors: &[TENSORS],
    variants: &[(|config| !config.norm_after_pooling, CLASS_TOKEN)],
    ignored_tensors: &[
        "$.embeddings.mask_token",
        "$.encoder.layer.{}.attention.attention.relative_position_bias.relative_position_index",
    ],
    ..vit::VIT
};

/// BEiT that makes a vector of a picture: what the classifier would read.
pub static VECTOR: Family = Family {
    architecture: Some("BeitModel"),
    start: || vit::vector(start(), VectorPooling::Patches),
    keys: &[KEYS],
    ..BEIT
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
    ("image_size", vit::SQUARE_PICTURE),
    ("patch_size", vit::PATCH),
    ("num_channels", vit::CHANNELS),
    ("use_absolute_position_embeddings", ABSOLUTE),
    ("use_relative_position_bias", RELATIVE),
    ("use_shared_relative_position_bias", Key::Only("false")),
    ("layer_scale_init_value", LAYER_SCALE),
    ("use_mean_pooling", MEAN),
    ("pruned_heads", Key::Only("{}")),
];

const ABSOLUTE: Key = Key::Custom {
    required: false,
    read: |config, value| {
        let placed = match flag(value)? {
            true => Placed::All,
            false => Placed::Nothing,
        };
        vit::set(config, |patches| patches.placed = placed);
        Ok(())
    },
    write: |config| {
        json!(
            config
                .patches()
                .is_some_and(|patches| patches.placed == Placed::All)
        )
    },
};

const RELATIVE: Key = Key::Custom {
    required: false,
    read: |config, value| {
        config.attention.bias = flag(value)?.then_some(PositionBias::Grid);
        Ok(())
    },
    write: |config| json!(config.attention.bias == Some(PositionBias::Grid)),
};

/// The number that factors are drawn as: without one above 0 there are none.
const LAYER_SCALE: Key = Key::Custom {
    required: false,
    read: |config, value| {
        config.layer_scale = number(value)? > 0.0;
        Ok(())
    },
    write: |config| json!(if config.layer_scale { 0.1 } else { 0.0 }),
};

/// Whether the head reads the mean of the patches, by a norm after it, or the class token, by the norm before it.
const MEAN: Key = Key::Custom {
    required: false,
    read: |config, value| {
        let mean = flag(value)?;
        config.norm_after_pooling = mean;
        match (&mut config.head, mean) {
            (Head::Vector { pooling, .. }, true) => *pooling = VectorPooling::Patches,
            (Head::Vector { pooling, .. }, false) => *pooling = VectorPooling::First,
            (head, true) => *head = Head::LabelsOfPatches,
            (head, false) => *head = Head::Labels,
        }
        Ok(())
    },
    write: |config| json!(config.norm_after_pooling),
};

#[rustfmt::skip]
const TENSORS: Names = &[
    ("embeddings.class_token", "$.embeddings.cls_token"),
    ("embeddings.position", "$.embeddings.position_embeddings"),
    ("embeddings.patch", "$.embeddings.patch_embeddings.projection"),
    ("encoder.{}.attention.query", "$.encoder.layer.{}.attention.attention.query"),
    ("encoder.{}.attention.key", "$.encoder.layer.{}.attention.attention.key"),
    ("encoder.{}.attention.value", "$.encoder.layer.{}.attention.attention.value"),
    ("encoder.{}.attention.grid", "$.encoder.layer.{}.attention.attention.relative_position_bias.relative_position_bias_table"),
    ("encoder.{}.attention.output", "$.encoder.layer.{}.attention.output.dense"),
    ("encoder.{}.attention_norm", "$.encoder.layer.{}.layernorm_before"),
    ("encoder.{}.attention_scale", "$.encoder.layer.{}.lambda_1"),
    ("encoder.{}.feed_forward.up", "$.encoder.layer.{}.intermediate.dense"),
    ("encoder.{}.feed_forward.down", "$.encoder.layer.{}.output.dense"),
    ("encoder.{}.feed_forward_norm", "$.encoder.layer.{}.layernorm_after"),
    ("encoder.{}.feed_forward_scale", "$.encoder.layer.{}.lambda_2"),
    ("final_norm", "$.pooler.layernorm"),
];

const CLASS_TOKEN: Names = &[("final_norm", "$.layernorm")];

/// BEiT-Base on pictures of 224 x 224 pixels, with neither kind of positions.
fn start() -> TransformerConfig {
    let mut config = TransformerConfig {
        layer_scale: true,
        head: Head::LabelsOfPatches,
        norm_after_pooling: true,
        ..vit::start(Distillation::Absent)
    };
    config.biases.unbiased_keys = true;
    vit::set(&mut config, |patches| patches.placed = Placed::Nothing);
    config
}
