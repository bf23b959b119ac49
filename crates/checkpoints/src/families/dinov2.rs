//! DINOv2 (Oquab et al. 2024), without registers and with them (Darcet et al. 2024), for image classification. The head
//! reads the class token and the mean of the patches, and each part of a block has learned factors.

use relprop_rules::operations::{Activation, NormScale};
use relprop_transformer::{Distillation, Head, PatchConfig, TransformerConfig, VectorPooling};
use serde_json::{Value, json};

use super::vit;
use crate::Family;
use crate::family::{Keys, Names};
use crate::keys::{
    CLASSES, EPSILON, Key, KeyError, activation, feed_forward, flag, name, number, size,
};

/// DINOv2.
pub static DINOV2: Family = Family {
    name: "dinov2",
    architecture: Some("Dinov2ForImageClassification"),
    start,
    keys: &[KEYS, CLASSES],
    // What factors are drawn with, which are in the file; of a backbone, and of training.
    ignored_keys: &[
        "layerscale_value",
        "drop_path_rate",
        "use_mask_token",
        "apply_layernorm",
        "reshape_hidden_states",
        "out_features",
        "out_indices",
        "stage_names",
    ],
    base: "dinov2",
    tensors: &[TENSORS],
    variants: &[(is_gated, GATED)],
    ignored_tensors: &["$.embeddings.mask_token"],
    ..vit::VIT
};

/// DINOv2 with registers.
pub static WITH_REGISTERS: Family = Family {
    name: "dinov2_with_registers",
    architecture: Some("Dinov2WithRegistersForImageClassification"),
    start: || {
        let mut config = start();
        vit::set(&mut config, |patches| {
            patches.patch = [16; 2];
            patches.registers = 4;
        });
        config
    },
    keys: &[KEYS, REGISTERS, CLASSES],
    base: "dinov2_with_registers",
    ..DINOV2
};

/// DINOv2 that makes a vector of a picture: the state of the class token.
pub static VECTOR: Family = Family {
    architecture: Some("Dinov2Model"),
    start: || vit::vector(start(), VectorPooling::First),
    keys: &[KEYS],
    ..DINOV2
};

/// The same with registers.
pub static VECTOR_WITH_REGISTERS: Family = Family {
    architecture: Some("Dinov2WithRegistersModel"),
    start: || vit::vector((WITH_REGISTERS.start)(), VectorPooling::First),
    keys: &[KEYS, REGISTERS],
    ..WITH_REGISTERS
};

#[rustfmt::skip]
const KEYS: Keys = &[
    ("hidden_size", Key::Size(|c| &mut c.width)),
    ("num_hidden_layers", Key::Size(|c| &mut c.blocks)),
    ("num_attention_heads", Key::Size(|c| &mut c.heads)),
    ("hidden_act", ACTIVATION),
    ("use_swiglu_ffn", SWIGLU),
    ("mlp_ratio", RATIO),
    ("layer_norm_eps", EPSILON),
    ("hidden_dropout_prob", Key::Number(|c| &mut c.dropout)),
    ("attention_probs_dropout_prob", Key::Number(|c| &mut c.attention_dropout)),
    ("initializer_range", Key::Number(|c| &mut c.initializer_range)),
    ("image_size", vit::SQUARE_PICTURE),
    ("patch_size", vit::PATCH),
    ("num_channels", vit::CHANNELS),
    ("qkv_bias", Key::Flag(|c| &mut c.biases.attention)),
    ("pruned_heads", Key::Only("{}")),
];

const REGISTERS: Keys = &[(
    "num_register_tokens",
    Key::Custom {
        required: false,
        read: |config, value| {
            let registers = size(value)?;
            vit::set(config, |patches| patches.registers = registers);
            Ok(())
        },
        write: |config| json!(config.patches().map(|patches| patches.registers)),
    },
)];

/// The activation of a feed-forward part without a gate; with one, it is SiLU, which `use_swiglu_ffn` sets.
const ACTIVATION: Key = Key::Custom {
    required: false,
    read: |config, value| {
        feed_forward(config).activation = activation(value)?;
        Ok(())
    },
    write: |config| match config.feed_forward {
        Some(part) if !part.gated => json!(name(part.activation)),
        _ => Value::Null,
    },
};

const SWIGLU: Key = Key::Custom {
    required: false,
    read: |config, value| {
        let part = feed_forward(config);
        part.gated = flag(value)?;
        if part.gated {
            part.activation = Activation::Silu;
        }
        Ok(())
    },
    write: |config| json!(config.feed_forward.is_some_and(|part| part.gated)),
};

/// `mlp_ratio`: the width of the feed-forward part, in widths of a hidden state; two thirds of that, rounded up to a
/// multiple of 8, where it is gated.
const RATIO: Key = Key::Derived {
    read: |config, value| {
        let ratio = match value {
            None | Some(Value::Null) => 4.0,
            Some(value) => {
                let ratio = number(value)?;
                let fits = ratio > 0.0 && ratio < 1e6;
                fits.then_some(ratio)
                    .ok_or_else(|| KeyError::must_be(value, "a small number above 0"))?
            }
        };
        let width = middle(ratio, config.width, feed_forward(config).gated);
        feed_forward(config).width = width;
        Ok(())
    },
    write: |config| {
        let Some(part) = config.feed_forward else {
            return Value::Null;
        };
        // The ratio that gives this width: the files have a whole number.
        let whole = (1..=64)
            .find(|ratio| middle(f64::from(*ratio), config.width, part.gated) == part.width);
        whole.map_or_else(
            || json!(part.width as f64 / config.width as f64),
            |ratio| json!(ratio),
        )
    },
};

/// The width of the middle of a feed-forward part, rounded as transformers does.
fn middle(ratio: f64, width: usize, gated: bool) -> usize {
    let middle = (width as f64 * ratio) as usize;
    match gated {
        false => middle,
        true => ((middle as f64 * 2.0 / 3.0) as usize).div_ceil(8) * 8,
    }
}

#[rustfmt::skip]
const TENSORS: Names = &[
    ("embeddings.class_token", "$.embeddings.cls_token"),
    ("embeddings.registers", "$.embeddings.register_tokens"),
    ("embeddings.position", "$.embeddings.position_embeddings"),
    ("embeddings.patch", "$.embeddings.patch_embeddings.projection"),
    ("encoder.{}.attention.query", "$.encoder.layer.{}.attention.attention.query"),
    ("encoder.{}.attention.key", "$.encoder.layer.{}.attention.attention.key"),
    ("encoder.{}.attention.value", "$.encoder.layer.{}.attention.attention.value"),
    ("encoder.{}.attention.output", "$.encoder.layer.{}.attention.output.dense"),
    ("encoder.{}.attention_norm", "$.encoder.layer.{}.norm1"),
    ("encoder.{}.attention_scale", "$.encoder.layer.{}.layer_scale1.lambda1"),
    ("encoder.{}.feed_forward.up", "$.encoder.layer.{}.mlp.fc1"),
    ("encoder.{}.feed_forward.down", "$.encoder.layer.{}.mlp.fc2"),
    ("encoder.{}.feed_forward_norm", "$.encoder.layer.{}.norm2"),
    ("encoder.{}.feed_forward_scale", "$.encoder.layer.{}.layer_scale2.lambda1"),
    ("final_norm", "$.layernorm"),
];

/// The gate and the map up are one tensor, in this order.
#[rustfmt::skip]
const GATED: Names = &[
    ("encoder.{}.feed_forward.gate", "$.encoder.layer.{}.mlp.weights_in"),
    ("encoder.{}.feed_forward.up", "$.encoder.layer.{}.mlp.weights_in"),
    ("encoder.{}.feed_forward.down", "$.encoder.layer.{}.mlp.weights_out"),
];

fn is_gated(config: &TransformerConfig) -> bool {
    config.feed_forward.is_some_and(|part| part.gated)
}

/// DINOv2 of ViT-Base on pictures of 224 x 224 pixels.
fn start() -> TransformerConfig {
    let mut config = TransformerConfig {
        layer_scale: true,
        head: Head::LabelsOfBoth,
        ..vit::start(Distillation::Absent)
    };
    config.norm.scale = NormScale::InsideRoot(1e-6);
    vit::set(&mut config, |patches| {
        *patches = PatchConfig::new([224; 2], [14; 2], 3);
    });
    config
}
