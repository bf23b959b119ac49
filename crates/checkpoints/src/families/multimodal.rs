//! Language models with a tower for pictures, read as the models of texts that they hold. Such a model is written as one
//! of those.

use super::{gemma3, mistral};
use crate::Family;
use crate::family::Keys;
use crate::keys::{Key, KeyError, flag};
use relprop_transformer::TransformerConfig;
use serde_json::Value;

/// Gemma 3 of 4 billion parameters and more.
pub static GEMMA3: Family = Family {
    name: "gemma3",
    architecture: Some("Gemma3ForConditionalGeneration"),
    keys: &[
        &[(PART, part(|c, value| read(&gemma3::GEMMA3, c, value)))],
        TIED,
    ],
    ignored_keys: &[
        "vision_config",
        "mm_tokens_per_image",
        "boi_token_index",
        "eoi_token_index",
        "image_token_index",
    ],
    base: BASE,
    ignored_tensors: TOWER,
    ..gemma3::GEMMA3
};

/// Mistral Small 3.1 and its relatives.
pub static MISTRAL3: Family = Family {
    name: "mistral3",
    architecture: Some("Mistral3ForConditionalGeneration"),
    keys: &[
        &[(PART, part(|c, value| read(&mistral::MISTRAL, c, value)))],
        TIED,
    ],
    ignored_keys: &[
        "vision_config",
        "image_token_index",
        "multimodal_projector_bias",
        "projector_hidden_act",
        "spatial_merge_size",
        "vision_feature_layer",
    ],
    base: BASE,
    ignored_tensors: TOWER,
    ..mistral::MISTRAL
};

/// The key with the configuration of the model of texts.
const PART: &str = "text_config";

/// What the names of its tensors begin with.
const BASE: &str = "model.language_model";

/// The tower for pictures, and the map from its patches to tokens.
const TOWER: &[&str] = &[
    "model.vision_tower.*",
    "model.multi_modal_projector.*",
    "lm_head.weight",
];

/// The family of the model of texts, if this is one with a tower beside it.
pub(crate) fn of_texts(family: &Family) -> Option<&'static Family> {
    let known = [(&GEMMA3, &gemma3::GEMMA3), (&MISTRAL3, &mistral::MISTRAL)];
    let known = known.into_iter().find(|(both, _)| *both == family);
    known.map(|(_, texts)| texts)
}

const fn part(read: fn(&mut TransformerConfig, &Value) -> Result<(), KeyError>) -> Key {
    Key::Custom {
        required: true,
        read,
        write: |_| Value::Null,
    }
}

fn read(of: &Family, config: &mut TransformerConfig, value: &Value) -> Result<(), KeyError> {
    match value.get("model_type").and_then(Value::as_str) {
        Some(name) if name != of.name => {
            let message = format!(
                "has the `model_type` `{name}`; only `{}` is supported",
                of.name
            );
            Err(KeyError::new(message))
        }
        _ => of.read_part(config, value),
    }
}

/// What is said of both together counts.
const TIED: Keys = &[(
    "tie_word_embeddings",
    Key::Derived {
        read: |config, value| {
            let said = value.filter(|value| !value.is_null());
            let tied = said.map_or(Ok(true), flag)?;
            config.head = config.head.with_tied(tied);
            Ok(())
        },
        write: |_| Value::Null,
    },
)];
