//! CLIP (Radford et al. 2021): a tower for texts and one for pictures, whose vectors are compared.

use relprop_rules::operations::{Activation, NormScale};
use relprop_transformer::{
    AttentionConfig, Dense, Distillation, Head, InputConfig, TransformerConfig, VectorPooling,
};
use serde_json::{Value, json};

use super::{bert, vit};
use crate::Family;
use crate::family::{Keys, Names};
use crate::keys::{EPSILON, Key, KeyError, PADDING, VOCABULARY, feed_forward, size};
use crate::towers::Pair;

/// Both towers.
pub static CLIP: Pair = Pair {
    text: &Family {
        name: "clip",
        architecture: Some("CLIPModel"),
        start: || compared(text()),
        keys: &[OF_BOTH_TEXT],
        ignored_keys: &[
            "vision_config",
            "vision_config_dict",
            "logit_scale_init_value",
        ],
        ..TEXT
    },
    picture: &Family {
        name: "clip",
        architecture: Some("CLIPModel"),
        start: || compared(picture()),
        keys: &[OF_BOTH_PICTURE],
        ignored_keys: &["text_config", "text_config_dict", "logit_scale_init_value"],
        ..PICTURE
    },
    alone: [&TEXT, &PICTURE],
    probabilities: relprop_transformer::Probabilities::Softmax,
    biased: false,
};

/// The tower for texts alone.
pub static TEXT: Family = Family {
    name: "clip_text_model",
    architecture: Some("CLIPTextModelWithProjection"),
    start: text,
    keys: &[TEXT_KEYS, SIZES, PROJECTED],
    ignored_keys: &[],
    base: "text_model",
    tensors: &[TEXT_TENSORS, BLOCKS, &[("classifier", "text_projection")]],
    ignored_tensors: &["$.embeddings.position_ids"],
    ..vit::VIT
};

/// The tower for pictures alone.
pub static PICTURE: Family = Family {
    name: "clip_vision_model",
    architecture: Some("CLIPVisionModelWithProjection"),
    start: picture,
    keys: &[SIZES, PICTURE_KEYS, PROJECTED],
    ignored_keys: &[],
    base: "vision_model",
    tensors: &[
        PICTURE_TENSORS,
        BLOCKS,
        &[("classifier", "visual_projection")],
    ],
    ignored_tensors: &["$.embeddings.position_ids"],
    ..vit::VIT
};

/// The tower for texts without the map into the space that both towers share.
pub static TEXT_STATES: Family = Family {
    architecture: Some("CLIPTextModel"),
    start: || unprojected(text()),
    keys: &[TEXT_KEYS, SIZES],
    ignored_keys: &["projection_dim"],
    tensors: &[TEXT_TENSORS, BLOCKS],
    ..TEXT
};

/// The tower for pictures without the map into the space that both towers share.
pub static PICTURE_STATES: Family = Family {
    architecture: Some("CLIPVisionModel"),
    start: || unprojected(picture()),
    keys: &[SIZES, PICTURE_KEYS],
    ignored_keys: &["projection_dim"],
    tensors: &[PICTURE_TENSORS, BLOCKS],
    ..PICTURE
};

/// What the file of both towers says of that for texts. The older key counts, where both are there.
const OF_BOTH_TEXT: Keys = &[
    (
        "text_config",
        part(|config, part| TEXT.read_part(config, part)),
    ),
    (
        "text_config_dict",
        part(|config, part| {
            *config = compared(text());
            TEXT.read_part(config, part)
        }),
    ),
    ("projection_dim", PROJECTION_OF_BOTH),
];

const OF_BOTH_PICTURE: Keys = &[
    (
        "vision_config",
        part(|config, part| PICTURE.read_part(config, part)),
    ),
    (
        "vision_config_dict",
        part(|config, part| {
            *config = compared(picture());
            PICTURE.read_part(config, part)
        }),
    ),
    ("projection_dim", PROJECTION_OF_BOTH),
];

/// A key with what the file says of one tower of several. Such a file is not written.
pub(super) const fn part(read: fn(&mut TransformerConfig, &Value) -> Result<(), KeyError>) -> Key {
    Key::Custom {
        required: false,
        read,
        write: |_| Value::Null,
    }
}

#[rustfmt::skip]
const TEXT_KEYS: Keys = &[
    ("vocab_size", VOCABULARY),
    ("max_position_embeddings", Key::Size(|c| &mut c.positions)),
    ("pad_token_id", PADDING),
    ("eos_token_id", END),
];

#[rustfmt::skip]
pub(super) const SIZES: Keys = &[
    ("hidden_size", Key::Size(|c| &mut c.width)),
    ("num_hidden_layers", Key::Size(|c| &mut c.blocks)),
    ("num_attention_heads", Key::Size(|c| &mut c.heads)),
    ("intermediate_size", Key::Size(|c| &mut feed_forward(c).width)),
    ("hidden_act", Key::Activation(|c| &mut feed_forward(c).activation)),
    ("layer_norm_eps", EPSILON),
    ("attention_dropout", Key::Number(|c| &mut c.attention_dropout)),
];

#[rustfmt::skip]
const PICTURE_KEYS: Keys = &[
    ("image_size", vit::SQUARE_PICTURE),
    ("patch_size", vit::PATCH),
    ("num_channels", vit::CHANNELS),
];

const PROJECTED: Keys = &[("projection_dim", PROJECTION)];

/// The width of a vector.
const PROJECTION: Key = Key::Custom {
    required: false,
    read: |config, value| {
        set_width(config, size(value)?);
        Ok(())
    },
    write: |config| json!(config.logits()),
};

/// The same of both towers, whatever is said of either.
const PROJECTION_OF_BOTH: Key = Key::Derived {
    read: |config, value| {
        let width = value
            .filter(|value| !value.is_null())
            .map(size)
            .transpose()?;
        set_width(config, width.unwrap_or(512));
        Ok(())
    },
    write: |config| json!(config.logits()),
};

/// Gives the linear map after pooling as many outputs.
pub(super) fn set_width(config: &mut TransformerConfig, features: usize) {
    if let Head::Vector {
        dense: Some(Dense { width, .. }),
        ..
    } = &mut config.head
    {
        *width = features;
    }
}

/// `eos_token_id`: the token whose state stands for the text. Files of before June 2023 say 2, which is wrong, and the token
/// is the one of the largest id.
const END: Key = Key::Custom {
    required: false,
    read: |config, value| {
        let id = value.as_u64().and_then(|id| u32::try_from(id).ok());
        let id = id.ok_or_else(|| KeyError::must_be(value, "the id of a token"))?;
        if let Head::Vector { pooling, .. } = &mut config.head {
            *pooling = VectorPooling::FirstOf((id != 2).then_some(id));
        }
        Ok(())
    },
    write: |config| match config.head {
        Head::Vector {
            pooling: VectorPooling::FirstOf(id),
            ..
        } => json!(id.unwrap_or(2)),
        _ => Value::Null,
    },
};

#[rustfmt::skip]
pub(super) const TEXT_TENSORS: Names = &[
    ("embeddings.word", "$.embeddings.token_embedding"),
    ("embeddings.position", "$.embeddings.position_embedding"),
    ("final_norm", "$.final_layer_norm"),
];

#[rustfmt::skip]
const PICTURE_TENSORS: Names = &[
    ("embeddings.class_token", "$.embeddings.class_embedding"),
    ("embeddings.position", "$.embeddings.position_embedding.weight"),
    ("embeddings.patch", "$.embeddings.patch_embedding"),
    ("embeddings.norm", "$.pre_layrnorm"),
    ("final_norm", "$.post_layernorm"),
];

#[rustfmt::skip]
pub(super) const BLOCKS: Names = &[
    ("encoder.{}.attention.query", "$.encoder.layers.{}.self_attn.q_proj"),
    ("encoder.{}.attention.key", "$.encoder.layers.{}.self_attn.k_proj"),
    ("encoder.{}.attention.value", "$.encoder.layers.{}.self_attn.v_proj"),
    ("encoder.{}.attention.output", "$.encoder.layers.{}.self_attn.out_proj"),
    ("encoder.{}.attention_norm", "$.encoder.layers.{}.layer_norm1"),
    ("encoder.{}.feed_forward.up", "$.encoder.layers.{}.mlp.fc1"),
    ("encoder.{}.feed_forward.down", "$.encoder.layers.{}.mlp.fc2"),
    ("encoder.{}.feed_forward_norm", "$.encoder.layers.{}.layer_norm2"),
];

/// The head of a tower.
pub(super) fn head(pooling: VectorPooling, dense: Option<Dense>) -> Head {
    Head::Vector {
        pooling,
        dense,
        second: None,
        normalized: false,
    }
}

/// The same tower beside another one: vectors are compared by their directions.
pub(super) fn compared(mut config: TransformerConfig) -> TransformerConfig {
    if let Head::Vector { normalized, .. } = &mut config.head {
        *normalized = true;
    }
    config
}

/// The same tower without the map after pooling.
fn unprojected(mut config: TransformerConfig) -> TransformerConfig {
    if let Head::Vector { dense, .. } = &mut config.head {
        *dense = None;
    }
    config
}

/// The map after pooling.
const DENSE: Dense = Dense {
    width: 512,
    bias: false,
    activation: None,
};

/// A tower for texts with positions and no segments, and norms before the parts.
pub(super) fn of_texts(vocabulary: usize, sizes: [usize; 5], head: Head) -> TransformerConfig {
    let config = TransformerConfig {
        head,
        labels: Vec::new(),
        ..vit::start(Distillation::Absent)
    };
    TransformerConfig {
        input: InputConfig::Tokens { vocabulary },
        padding_token: 1,
        ..bert::sizes(config, sizes)
    }
}

/// The tower for texts of CLIP-ViT-B/32.
fn text() -> TransformerConfig {
    let head = head(VectorPooling::FirstOf(Some(49407)), Some(DENSE));
    let mut config = of_texts(49408, [512, 12, 8, 2048, 77], head);
    config.attention = AttentionConfig {
        causal: true,
        ..AttentionConfig::default()
    };
    quick(config)
}

/// The tower for pictures of CLIP-ViT-B/32.
fn picture() -> TransformerConfig {
    let mut config = quick(TransformerConfig {
        head: head(VectorPooling::First, Some(DENSE)),
        labels: Vec::new(),
        ..vit::start(Distillation::Absent)
    });
    config.embedding_norm = Some(config.norm);
    vit::set(&mut config, |patches| {
        patches.patch = [32; 2];
        patches.unbiased = true;
    });
    config
}

fn quick(mut config: TransformerConfig) -> TransformerConfig {
    config.norm.scale = NormScale::InsideRoot(1e-5);
    feed_forward(&mut config).activation = Activation::QuickGelu;
    config
}
