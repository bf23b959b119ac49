//! Models of two towers: one makes a vector of a picture, and one of a text.

use relprop_transformer::Probabilities;
use serde_json::Value;

use crate::families::{clip, siglip};
use crate::{Family, Model};

/// A model that compares pictures with texts: CLIP, SigLIP. The logit of a pair is
///
/// ```text
/// z = scale * u v / (|u| |v|) + bias
/// ```
///
/// where u is the vector of the picture, and v that of the text.
#[derive(Clone, Debug)]
pub struct Towers {
    /// The tower for texts. Its vectors have length 1.
    pub text: Model,
    /// The tower for pictures. Its vectors have length 1.
    pub picture: Model,
    /// The `model_type` of both together: `clip`.
    pub family: &'static str,
    /// What cosines are multiplied by.
    pub scale: f64,
    /// What is then added.
    pub bias: f64,
    /// How probabilities follow from the logits of a picture and several texts.
    pub probabilities: Probabilities,
}

/// A kind of model of two towers, as a table: the families of both, with the keys that describe them together and with those
/// of the tower alone.
#[derive(Debug)]
pub struct Pair {
    /// The tower for texts, as the file of both describes it.
    pub text: &'static Family,
    /// The tower for pictures, as the file of both describes it.
    pub picture: &'static Family,
    /// The tower for texts and that for pictures, each in a file of its own.
    pub(crate) alone: [&'static Family; 2],
    /// How probabilities follow from logits.
    pub(crate) probabilities: Probabilities,
    /// Whether a number is added to all logits.
    pub(crate) biased: bool,
}

impl Pair {
    /// Every kind.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        [&clip::CLIP, &siglip::SIGLIP].into_iter()
    }

    /// The kind that a `config.json` describes, if it describes one.
    pub(crate) fn of(config: &str) -> Option<&'static Self> {
        let json: Value = serde_json::from_str(config).ok()?;
        let kind = json["model_type"].as_str();
        let names = json["architectures"].as_array();
        let names: Vec<&str> = names
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        Self::all().find(|pair| {
            let named = pair
                .text
                .architecture
                .is_some_and(|name| names.contains(&name));
            let of_type = kind == Some(pair.text.name);
            match (kind, names.is_empty()) {
                (Some(_), true) => of_type,
                (Some(_), false) => of_type && named,
                (None, _) => named,
            }
        })
    }
}
