//! Swin (Liu et al. 2021), for image classification: attention within windows of the grid of patches, which are moved in
//! every other block, and stages after each of which four tokens become one.

use relprop_rules::operations::NormScale;
use relprop_transformer::{
    Distillation, Head, NormConfig, PatchConfig, Placed, PositionBias, Stages, TransformerConfig,
    VectorPooling,
};
use serde_json::{Value, json};

use super::vit;
use crate::Family;
use crate::family::{Keys, Names};
use crate::keys::{CLASSES, Key, KeyError, feed_forward, number, size};

/// Swin.
pub static SWIN: Family = Family {
    name: "swin",
    architecture: Some("SwinForImageClassification"),
    start,
    keys: &[KEYS, CLASSES],
    // What follows from other keys, of a model that draws what was hidden, of a backbone, and of training.
    ignored_keys: &[
        "hidden_size",
        "num_layers",
        "num_hidden_layers",
        "path_norm",
        "encoder_stride",
        "drop_path_rate",
        "out_features",
        "out_indices",
        "stage_names",
    ],
    base: "swin",
    tensors: &[TENSORS],
    ignored_tensors: &[
        "$.embeddings.mask_token",
        "$.encoder.layers.{}.blocks.{}.attention.self.relative_position_index",
        "$.encoder.layers.{}.blocks.{}.attn_mask",
    ],
    ..vit::VIT
};

/// Swin that makes a vector of a picture: the mean of the tokens of its last stage.
pub static VECTOR: Family = Family {
    architecture: Some("SwinModel"),
    start: || vit::vector(start(), VectorPooling::Mean),
    keys: &[KEYS],
    ..SWIN
};

#[rustfmt::skip]
const KEYS: Keys = &[
    ("embed_dim", Key::Size(|c| &mut c.width)),
    ("depths", DEPTHS),
    ("num_heads", HEADS),
    ("window_size", Key::Size(|c| &mut stages(c).window)),
    ("mlp_ratio", RATIO),
    ("hidden_act", Key::Activation(|c| &mut feed_forward(c).activation)),
    ("layer_norm_eps", EPSILON),
    ("hidden_dropout_prob", Key::Number(|c| &mut c.dropout)),
    ("attention_probs_dropout_prob", Key::Number(|c| &mut c.attention_dropout)),
    ("initializer_range", Key::Number(|c| &mut c.initializer_range)),
    ("image_size", vit::PICTURE),
    ("patch_size", vit::PATCH),
    ("num_channels", vit::CHANNELS),
    ("qkv_bias", Key::Flag(|c| &mut c.biases.attention)),
    ("use_absolute_embeddings", Key::Only("false")),
    ("pruned_heads", Key::Only("{}")),
];

const DEPTHS: Key = Key::Custom {
    required: false,
    read: |config, value| {
        let blocks = list(value)?;
        config.blocks = blocks
            .iter()
            .fold(0, |sum: usize, blocks| sum.saturating_add(*blocks));
        stages(config).blocks = blocks;
        Ok(())
    },
    write: |config| json!(config.stages.as_ref().map(|stages| &stages.blocks)),
};

const HEADS: Key = Key::Custom {
    required: false,
    read: |config, value| {
        let heads = list(value)?;
        config.heads = heads[0];
        stages(config).heads = heads;
        Ok(())
    },
    write: |config| json!(config.stages.as_ref().map(|stages| &stages.heads)),
};

/// `mlp_ratio`: the width of the feed-forward part, in widths of a hidden state.
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
        feed_forward(config).width = (config.width as f64 * ratio) as usize;
        Ok(())
    },
    write: |config| {
        let width = config.feed_forward.map_or(0, |part| part.width);
        json!(width as f64 / config.width as f64)
    },
};

/// The epsilon of the blocks' norms and of the last one; those of embeddings and between stages have PyTorch's own.
const EPSILON: Key = Key::Custom {
    required: false,
    read: |config, value| {
        config.norm.scale = NormScale::InsideRoot(number(value)?);
        Ok(())
    },
    write: |config| json!(config.norm.scale.epsilon()),
};

/// From one to eight numbers, each above 0 and small.
fn list(value: &Value) -> Result<Vec<usize>, KeyError> {
    let wrong = || KeyError::must_be(value, "a list of a number for each of 1 to 8 stages");
    let numbers = value
        .as_array()
        .filter(|list| (1..=8).contains(&list.len()));
    let numbers = numbers.ok_or_else(wrong)?.iter().map(size);
    let numbers = numbers.collect::<Result<Vec<_>, _>>()?;
    let fits = numbers.iter().all(|number| (1..=1000).contains(number));
    fits.then_some(numbers).ok_or_else(wrong)
}

fn stages(config: &mut TransformerConfig) -> &mut Stages {
    config.stages.get_or_insert(Stages {
        blocks: Vec::new(),
        heads: Vec::new(),
        window: 0,
    })
}

/// Blocks are counted through all stages here; the file counts those of each stage.
#[rustfmt::skip]
const TENSORS: Names = &[
    ("embeddings.patch", "$.embeddings.patch_embeddings.projection"),
    ("embeddings.norm", "$.embeddings.norm"),
    ("encoder.{}.attention.query", "$.encoder.layers.{}.blocks.attention.self.query"),
    ("encoder.{}.attention.key", "$.encoder.layers.{}.blocks.attention.self.key"),
    ("encoder.{}.attention.value", "$.encoder.layers.{}.blocks.attention.self.value"),
    ("encoder.{}.attention.grid", "$.encoder.layers.{}.blocks.attention.self.relative_position_bias_table"),
    ("encoder.{}.attention.output", "$.encoder.layers.{}.blocks.attention.output.dense"),
    ("encoder.{}.attention_norm", "$.encoder.layers.{}.blocks.layernorm_before"),
    ("encoder.{}.feed_forward.up", "$.encoder.layers.{}.blocks.intermediate.dense"),
    ("encoder.{}.feed_forward.down", "$.encoder.layers.{}.blocks.output.dense"),
    ("encoder.{}.feed_forward_norm", "$.encoder.layers.{}.blocks.layernorm_after"),
    ("merging.{}.norm", "$.encoder.layers.{}.downsample.norm"),
    ("merging.{}.reduction", "$.encoder.layers.{}.downsample.reduction"),
    ("final_norm", "$.layernorm"),
];

/// Swin-T on pictures of 224 x 224 pixels.
fn start() -> TransformerConfig {
    let norm = |config: NormConfig| NormConfig {
        scale: NormScale::InsideRoot(1e-5),
        ..config
    };
    let mut config = vit::start(Distillation::Absent);
    config.norm = norm(config.norm);
    config.embedding_norm = Some(config.norm);
    config.width = 96;
    config.heads = 3;
    config.blocks = 12;
    config.head = Head::LabelsOfMean;
    config.attention.bias = Some(PositionBias::Grid);
    config.stages = Some(Stages {
        blocks: vec![2, 2, 6, 2],
        heads: vec![3, 6, 12, 24],
        window: 7,
    });
    feed_forward(&mut config).width = 4 * 96;
    vit::set(&mut config, |patches| {
        *patches = PatchConfig {
            unclassed: true,
            placed: Placed::Nothing,
            ..PatchConfig::new([224; 2], [4; 2], 3)
        };
    });
    config
}
