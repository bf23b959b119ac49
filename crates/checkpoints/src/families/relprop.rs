//! relprop's own layout, for models that no other family can express.

use serde_json::{Value, json};

use super::bert;
use crate::Family;
use crate::family::Names;
use crate::json::from_value;
use crate::keys::{Key, KeyError};

/// The layout that can express every configuration.
pub static RELPROP: Family = Family {
    name: "relprop",
    architecture: None,
    start: bert::start,
    keys: &[&[(
        "transformer",
        Key::Custom {
            required: true,
            read: |config, value| {
                let value = with_input(value.clone());
                let read = from_value(value);
                *config = read.map_err(|error| KeyError::new(format!("has {error}")))?;
                Ok(())
            },
            write: |config| json!(config),
        },
    )]],
    ignored_keys: &[],
    base: "",
    tensors: &[PATCH_EMBEDDINGS],
    variants: &[],
    grouped: &[],
    stacked: &[],
    untransposed: &[],
    ignored_tensors: &[],
};

/// The embeddings of pictures have a prefix of their own in the file.
const PATCH_EMBEDDINGS: Names = &[
    ("embeddings.class_token", "patch_embeddings.class_token"),
    (
        "embeddings.distillation_token",
        "patch_embeddings.distillation_token",
    ),
    ("embeddings.patch", "patch_embeddings.patch"),
    ("embeddings.registers", "patch_embeddings.registers"),
    // A text's model has a module of this name, and a picture's a tensor.
    ("embeddings.position.weight", "embeddings.position.weight"),
    ("embeddings.position", "patch_embeddings.position"),
];

/// The configuration with what it reads in one place. The first files have a `vocabulary` and, if they
/// read pictures, `patches` beside it.
fn with_input(mut config: Value) -> Value {
    if let Some(config) = config.as_object_mut()
        && let Some(vocabulary) = config.remove("vocabulary")
    {
        let input = match config.remove("patches") {
            None | Some(Value::Null) => json!({"tokens": {"vocabulary": vocabulary}}),
            Some(patches) => json!({"patches": patches}),
        };
        config.insert("input".to_owned(), input);
    }
    config
}

#[cfg(test)]
mod tests {
    use relprop_transformer::{PatchConfig, TransformerConfig};
    use rstest::rstest;
    use serde_json::Value;

    use super::*;

    fn text() -> TransformerConfig {
        TransformerConfig::bert(7, vec!["yes".to_owned()])
    }

    fn picture() -> TransformerConfig {
        let patches = PatchConfig::new([8; 2], [4; 2], 1);
        TransformerConfig::vit(patches, vec!["yes".to_owned()])
    }

    /// The file that relprop wrote before what a model reads was in one place.
    #[rstest]
    #[case::text(text(), json!(7), Value::Null)]
    #[case::picture(picture(), json!(2), json!({
        "picture": [8, 8], "patch": [4, 4], "channels": 1, "distillation": "absent",
    }))]
    fn the_first_files_are_read(
        #[case] config: TransformerConfig,
        #[case] vocabulary: Value,
        #[case] patches: Value,
    ) {
        let mut json = Value::Object(RELPROP.write(&config));
        let transformer = json["transformer"].as_object_mut().unwrap();
        transformer.remove("input").unwrap();
        transformer.insert("vocabulary".to_owned(), vocabulary);
        if !patches.is_null() {
            transformer.insert("patches".to_owned(), patches);
        }
        let read = Family::read_config(&json.to_string()).unwrap();
        assert_eq!(read, (&RELPROP, config));
    }

    #[test]
    fn embeddings_are_called_as_in_the_first_files() {
        for (ours, theirs) in [
            ("embeddings.position.weight", "embeddings.position.weight"),
            ("embeddings.word.weight", "embeddings.word.weight"),
            ("embeddings.position", "patch_embeddings.position"),
            ("embeddings.class_token", "patch_embeddings.class_token"),
            ("embeddings.patch.bias", "patch_embeddings.patch.bias"),
        ] {
            assert_eq!(RELPROP.tensor_name(ours, ""), theirs);
        }
    }
}
