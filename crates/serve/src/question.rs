//! What is asked of a model.

use relprop_engine::{NamedRules, Request};
use relprop_explain::Measure;
use relprop_transformer::VectorPooling;

use crate::fragment::Fragment;

/// What stands in the place of a text where each text has its own second text.
pub(crate) const SECOND: &str = "second";

/// What is asked of which model. Equal questions share a pass.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Question {
    /// The place of the model among those that are served.
    pub(crate) model: usize,
    pub(crate) request: Request,
}

/// A text, or a picture and its name.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) text: String,
    pub(crate) second: Option<String>,
    /// The bytes of the file.
    pub(crate) picture: Option<Vec<u8>>,
}

impl Item {
    pub(crate) fn text(text: String) -> Self {
        Self {
            text,
            second: None,
            picture: None,
        }
    }
}

/// What `POST /api/similar` asks.
#[derive(Debug)]
pub(crate) struct SimilarAsk {
    /// The place of the model among those that are served.
    pub(crate) model: usize,
    pub(crate) query: String,
    pub(crate) texts: Vec<String>,
    pub(crate) top: usize,
    pub(crate) rules: Option<NamedRules>,
    pub(crate) at: Option<String>,
    pub(crate) measure: Measure,
    pub(crate) pooling: Option<VectorPooling>,
    pub(crate) fragments: Vec<Fragment>,
}
