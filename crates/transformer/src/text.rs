//! A text as a model reads it: tokens, and the places in the text that they come from.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{PATCH_VISIBLE, Picture};

/// A text, a pair of texts or a picture, as a model reads it.
#[derive(Clone, Debug, PartialEq)]
pub struct TokenizedText {
    /// The text as it was given; for a pair, both texts with a line break between them; for a
    /// picture, its name.
    pub text: String,
    /// What the tokens were made of.
    pub content: Content,
    /// The tokens, special ones included.
    pub tokens: Vec<Token>,
    /// The segment of each token.
    pub types: Vec<u32>,
    /// How many tokens were cut because the model has no position for them. They were cut from the
    /// end that [`Head::cuts_from`](crate::Head::cuts_from) gives; in a pair, from that end of the
    /// longer text.
    pub dropped: usize,
    /// The tokens that are asked, counted from 0, where the head answers at the
    /// [last](crate::AnswersAt::Last) token unless the text names others. Empty if it names none.
    pub asked: Vec<usize>,
    /// How many of the tokens a model's encoder reads, which stand first. A decoder reads the others: the
    /// output so far. 0 for a model that has no decoder.
    pub source: usize,
}

/// What tokens were made of.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// Words.
    Text {
        /// Where the second text of a pair starts, or the answer after a prompt, in characters; none if there
        /// is one text.
        second: Option<usize>,
    },
    /// Patches. The number of a patch, row by row, is the word that its token belongs to.
    Picture(Arc<Picture>),
}

/// One of the two ends of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TextEnd {
    /// Where its first token stands.
    Start,
    /// Where its last token stands.
    End,
}

impl fmt::Display for TextEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Start => "start",
            Self::End => "end",
        })
    }
}

/// One token of a text.
#[derive(Clone, Debug, PartialEq)]
pub struct Token {
    /// The token as the vocabulary has it: `warm`, `##ly`, `[CLS]`.
    pub text: String,
    /// Its id.
    pub id: u32,
    /// Where it starts in the text, in characters. White space at its sides is left out; characters
    /// next to it that the tokenizer dropped are taken in.
    pub start: usize,
    /// Where it ends in the text, in characters, exclusive.
    pub end: usize,
    /// Which word it belongs to, counted from 0 through both texts of a pair; none for a special
    /// token, and for a token of white space that no word follows directly. A word ends at white
    /// space of the text, and where the tokenizer's pre-tokenizer ends one, but not beside a
    /// combining mark.
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
            content: Content::Text { second: None },
            tokens: vec![token; length],
            types: vec![0; length],
            dropped: 0,
            asked: Vec::new(),
            source: 0,
        }
    }

    /// The same text, whose first `source` tokens an encoder reads, and the others a decoder.
    #[must_use]
    pub fn with_source(self, source: usize) -> Self {
        Self { source, ..self }
    }

    /// The first text of a pair; the text, if there is one.
    pub fn first(&self) -> &str {
        let Content::Text {
            second: Some(second),
        } = self.content
        else {
            return &self.text;
        };
        // A line break stands between the two.
        let end = self.text.char_indices().nth(second.saturating_sub(1));
        end.map_or(&self.text, |(end, _)| &self.text[..end])
    }

    /// The last token, counted from 0, or the first of those that [`TokenizedText::asked`] names in its
    /// place.
    pub fn last(&self) -> usize {
        let last = self.tokens.len().saturating_sub(1);
        self.asked.first().map_or(last, |&token| token.min(last))
    }

    /// The same; of a picture, with hidden patches that are [blurred](Picture::blurred).
    #[must_use]
    pub fn with_blur(mut self) -> Self {
        if let Content::Picture(picture) = self.content {
            let picture = Arc::unwrap_or_clone(picture).blurred();
            self.content = Content::Picture(Arc::new(picture));
        }
        self
    }

    /// The picture, if the tokens are those of a picture.
    pub fn picture(&self) -> Option<&Picture> {
        match &self.content {
            Content::Text { .. } => None,
            Content::Picture(picture) => Some(picture),
        }
    }
}

impl Picture {
    /// The tokens of the picture: the class token, the distillation token and registers, of those that there are, and
    /// the patches, row by row.
    pub fn into_tokens(self, name: impl Into<String>) -> TokenizedText {
        let token = |text: &str, word: Option<u32>| Token {
            text: text.to_owned(),
            id: PATCH_VISIBLE,
            start: 0,
            end: 0,
            word,
            special: word.is_none(),
        };
        let special = self.special_tokens();
        let mut tokens: Vec<Token> = special.map(|name| token(name, None)).collect();
        let [rows, columns] = self.grid();
        tokens.extend((0..rows * columns).map(|patch| token("", Some(patch as u32))));
        TokenizedText {
            text: name.into(),
            content: Content::Picture(Arc::new(self)),
            types: vec![0; tokens.len()],
            tokens,
            dropped: 0,
            asked: Vec::new(),
            source: 0,
        }
    }
}
