//! How a kind of model is called and written in the Hugging Face layout.

use serde_json::Value;

use super::bert;
use crate::TransformerConfig;

/// A kind of model: how its `config.json` maps to a [`TransformerConfig`], and how its tensors'
/// names map to the model's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Family {
    /// BERT for sequence classification; Python's `transformers` opens it.
    Bert,
    /// relprop's own layout, for models that no other family can express.
    Relprop,
}

impl Family {
    /// The name in `config.json` and in explanations: `bert`, `relprop`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bert => "bert",
            Self::Relprop => "relprop",
        }
    }

    /// The family that can express `config`.
    pub fn of(config: &TransformerConfig) -> Self {
        if bert::expresses(config) {
            Self::Bert
        } else {
            Self::Relprop
        }
    }

    /// Reads a `config.json`.
    pub(super) fn read_config(json: &Value) -> Result<(Self, TransformerConfig), String> {
        match json.get("model_type").and_then(Value::as_str) {
            Some("bert") => Ok((Self::Bert, bert::read_config(json)?)),
            Some("relprop") => {
                let inner = json.get("transformer").cloned().unwrap_or_default();
                let config = serde_json::from_value(inner)
                    .map_err(|error| format!("`transformer`: {error}"))?;
                Ok((Self::Relprop, config))
            }
            Some(other) => Err(format!(
                "models of type `{other}` are not supported; the supported types are `bert` \
                 (for sequence classification) and `relprop`"
            )),
            None => Err("it has no `model_type`".to_owned()),
        }
    }

    /// Writes a `config.json`.
    pub(super) fn write_config(self, config: &TransformerConfig) -> Value {
        match self {
            Self::Bert => bert::write_config(config),
            Self::Relprop => serde_json::json!({
                "model_type": "relprop",
                "transformer": config,
            }),
        }
    }

    /// Pairs of our name and the family's name for every module that holds tensors; `{}` stands
    /// for the number of a block. Names that are not listed are the same in both.
    pub(super) fn tensor_names(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Bert => bert::TENSOR_NAMES,
            Self::Relprop => &[],
        }
    }

    /// Tensors that the family's files may hold and that no computation needs.
    pub(super) fn ignored_tensors(self) -> &'static [&'static str] {
        match self {
            Self::Bert => bert::IGNORED_TENSORS,
            Self::Relprop => &[],
        }
    }
}
