//! What was found for an item, by a model of either kind.

use relprop_engine::Found;
use relprop_explain::{Comparison, Explanation, NotFinite};
use serde::Serialize;

/// What was found for an item. It is written as the program writes it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum ItemFound {
    /// By one model.
    One(Found),
    /// By two towers, for a picture and its texts.
    Compared(Box<Comparison>),
}

impl ItemFound {
    /// Checks that every number is finite.
    ///
    /// # Errors
    ///
    /// [`NotFinite`] for the first number that is NaN or infinite.
    pub fn finite(&self) -> Result<(), NotFinite> {
        match self {
            Self::One(found) => found.finite(),
            Self::Compared(found) => found.finite(),
        }
    }

    /// The single explanation of the item, if there is one; of a picture and texts, that of the picture.
    pub fn explanation(&self) -> Option<&Explanation> {
        match self {
            Self::One(found) => found.explanation(),
            Self::Compared(found) => Some(&found.picture),
        }
    }
}
