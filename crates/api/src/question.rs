//! What is asked of a model.

use relprop_engine::{CompareRequest, Request};

/// What stands in the place of a text where each text has its own second text.
pub(crate) const SECOND: &str = "second";

/// What is asked of which model. Equal questions share a pass.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// The place of the model among those that can be asked.
    pub model: usize,
    /// What is asked.
    pub asked: Asked,
}

/// What is asked of a model of either kind.
#[derive(Clone, Debug, PartialEq)]
pub enum Asked {
    /// Of one model about texts, or about pictures.
    One(Box<Request>),
    /// Of two towers about pictures and the texts that each is compared with.
    Towers(Box<CompareRequest>),
}

/// A text, or a picture and its name.
#[derive(Clone, Debug)]
pub struct Item {
    /// The text, or the name of the picture.
    pub text: String,
    /// What the model reads beside it.
    pub second: Option<String>,
    /// The bytes of the picture's file.
    pub picture: Option<Vec<u8>>,
}

impl Item {
    /// A text alone.
    pub fn text(text: String) -> Self {
        Self {
            text,
            second: None,
            picture: None,
        }
    }
}
