//! A text as a model sees it: tokens, and the places in the text that they come from.

use std::sync::Arc;

use crate::Picture;

/// A text, or a pair of texts, as a model sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct TokenizedText {
    /// The text as it was given. Of a pair, both, with a line break between them.
    pub text: String,
    /// Of a pair, where the second text starts in `text`, in characters.
    pub second: Option<usize>,
    /// The tokens, special ones included.
    pub tokens: Vec<Token>,
    /// The segment of each token.
    pub types: Vec<u32>,
    /// How many tokens were cut: from the end; of a pair, from the end of the longer text; for a
    /// language model, from the start.
    pub dropped: usize,
    /// The token that a language model continues from, counted from 0; the last one if none is said.
    pub position: Option<usize>,
    /// The picture, if it is none of words but of patches: `text` is then its name, and the number of
    /// a patch, row by row, is the word that its token belongs to.
    pub picture: Option<Arc<Picture>>,
}

/// One token of a text.
#[derive(Clone, Debug, PartialEq)]
pub struct Token {
    /// The token as the vocabulary has it: `warm`, `##ly`, `[CLS]`.
    pub text: String,
    /// Its id.
    pub id: u32,
    /// Where it starts in the text, in characters.
    pub start: usize,
    /// Where it ends in the text, in characters, exclusive.
    pub end: usize,
    /// Which word it belongs to, counted from 0 through both texts of a pair; none for a special
    /// token.
    pub word: Option<u32>,
    /// Whether it was added around the text.
    pub special: bool,
}

impl TokenizedText {
    /// A text of `length` times the same token, for a run whose values do not matter.
    pub(crate) fn padding(id: u32, length: usize) -> Self {
        let token = Token {
            text: String::new(),
            id,
            start: 0,
            end: 0,
            word: None,
            special: false,
        };
        Self {
            text: String::new(),
            second: None,
            tokens: vec![token; length],
            types: vec![0; length],
            dropped: 0,
            position: None,
            picture: None,
        }
    }

    /// The token that a language model continues from, counted from 0.
    pub fn read(&self) -> usize {
        let last = self.tokens.len().saturating_sub(1);
        self.position.map_or(last, |position| position.min(last))
    }
}
