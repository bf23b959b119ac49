//! Errors of texts, and what to do with texts that are too long.

use serde::{Deserialize, Serialize};

/// What to do with a text that has more tokens than the model has positions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Truncation {
    /// Cut it at the end and say how many tokens were dropped.
    #[default]
    Cut,
    /// Cut it at the start and say how many tokens were dropped.
    CutStart,
    /// Refuse it.
    Refuse,
    /// Read a single text in windows that overlap, and explain the mean over them; refuse a pair and a chat.
    Windows,
}

/// Why a model cannot read a text.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TextError {
    /// There is nothing in it.
    #[error("the text is empty: there is nothing to explain")]
    Empty,
    /// It is longer than the model can read.
    #[error(
        "the text has {tokens} tokens and the model reads at most {positions}; \
         shorten it, or let it be cut"
    )]
    TooLong {
        /// How many tokens it has, special ones included.
        tokens: usize,
        /// How many the model reads.
        positions: usize,
    },
    /// The tokenizer puts a token into a segment that the model does not have.
    #[error(
        "the tokenizer puts a token into segment {segment}, but the model has only {segments}: the two do not \
         belong together"
    )]
    Segment {
        /// The segment, counted from 0.
        segment: u32,
        /// How many the model has.
        segments: usize,
    },
    /// The tokenizer knows a token that the model has no embedding for.
    #[error(
        "the text has the token `{token}`, whose id is {id}, but the model's vocabulary has only \
         {vocabulary} tokens"
    )]
    NoEmbedding {
        /// The token.
        token: String,
        /// Its id.
        id: u32,
        /// How many tokens the model's vocabulary has.
        vocabulary: usize,
    },
    /// It does not have the token whose continuation was asked for.
    #[error(
        "there is no token {position}: the text has {tokens}, special ones included, counted from 0"
    )]
    Position {
        /// The token that was asked for.
        position: usize,
        /// How many tokens the text has.
        tokens: usize,
    },
    /// It has no such place, or several.
    #[error("there is no place `{place}` in the text: {why}")]
    Place {
        /// The place that was asked for.
        place: String,
        /// What the text has instead.
        why: String,
    },
    /// It is to be cut at its fields, and is no JSON document.
    #[error("the text is no JSON document, so it has no fields: {0}")]
    Json(String),
    /// The answer that is to be explained is missing.
    #[error(
        "no answer was given: give one, or the place in the text where it stands, such as @\"a word\""
    )]
    NoAnswer,
    /// A model that fills masks was given no mask, or several.
    #[error("{}", masks(mask, found))]
    Masks {
        /// The token that is a mask.
        mask: String,
        /// The tokens that are masks, counted from 0.
        found: Vec<usize>,
    },
    /// The model reads no texts.
    #[error("the model reads pictures, not texts")]
    Pictures,
    /// It cannot be written as a chat.
    #[error(transparent)]
    Chat(#[from] crate::ChatError),
    /// The tokenizer failed.
    #[error("the tokenizer failed: {0}")]
    Tokenizer(String),
}

fn masks(mask: &str, found: &[usize]) -> String {
    let places: Vec<_> = found.iter().map(usize::to_string).collect();
    match places.as_slice() {
        [] => format!("the text has no `{mask}`: put it where a token is to be found"),
        _ => format!(
            "the text has several `{mask}`, at the tokens {}: say which position is asked",
            places.join(", ")
        ),
    }
}
