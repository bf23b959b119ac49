//! Text to tokens, and back to the places in the text that they come from.

use std::path::Path;

use tokenizers::tokenizer::{Tokenizer as Inner, TruncationDirection};

/// A tokenizer as `tokenizer.json` describes it.
#[derive(Clone, Debug)]
pub struct Tokenizer(Inner);

/// What to do with a text that has more tokens than the model has positions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Truncation {
    /// Cut it at the end and say how many tokens were dropped.
    #[default]
    Cut,
    /// Refuse it.
    Refuse,
}

/// A text as a model sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct TokenizedText {
    /// The text as it was given.
    pub text: String,
    /// The tokens, special ones included.
    pub tokens: Vec<Token>,
    /// The segment of each token.
    pub types: Vec<u32>,
    /// How many tokens were cut from the end.
    pub dropped: usize,
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
    /// Which word of the text it belongs to, counted from 0; none for a special token.
    pub word: Option<u32>,
    /// Whether it was added around the text.
    pub special: bool,
}

/// Why a text cannot be given to a model.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TextError {
    /// There is nothing in it.
    #[error("the text is empty: there is nothing to explain")]
    Empty,
    /// It is longer than the model can read.
    #[error(
        "the text has {tokens} tokens and the model reads at most {positions}; \
         shorten it, or let it be cut (without --no-truncate)"
    )]
    TooLong {
        /// How many tokens it has, special ones included.
        tokens: usize,
        /// How many the model reads.
        positions: usize,
    },
    /// The tokenizer failed.
    #[error("the tokenizer failed: {0}")]
    Tokenizer(String),
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
            tokens: vec![token; length],
            types: vec![0; length],
            dropped: 0,
        }
    }
}

impl Tokenizer {
    /// Takes over a tokenizer of the `tokenizers` crate. Its own padding and truncation are
    /// switched off: relprop does both.
    pub fn new(mut inner: Inner) -> Self {
        inner.with_padding(None);
        // Only setting a truncation can fail.
        let _ = inner.with_truncation(None);
        Self(inner)
    }

    /// Reads `tokenizer.json`.
    ///
    /// # Errors
    ///
    /// The message of the `tokenizers` crate.
    pub fn read(file: &Path) -> Result<Self, String> {
        Inner::from_file(file)
            .map(Self::new)
            .map_err(|error| error.to_string())
    }

    /// Writes `tokenizer.json`.
    ///
    /// # Errors
    ///
    /// The message of the `tokenizers` crate.
    pub fn write(&self, file: &Path) -> Result<(), String> {
        self.0.save(file, true).map_err(|error| error.to_string())
    }

    /// How many embeddings a model needs for this vocabulary, added tokens included: one more than
    /// the largest id.
    pub fn vocabulary(&self) -> usize {
        let ids = self.0.get_vocab(true).into_values();
        ids.max().map_or(0, |largest| largest as usize + 1)
    }

    /// The id of `token`, if the vocabulary has it.
    pub fn id(&self, token: &str) -> Option<u32> {
        self.0.token_to_id(token)
    }

    /// Splits `text` into at most `positions` tokens, special ones included.
    ///
    /// # Errors
    ///
    /// [`TextError::Empty`] if nothing but special tokens is left, [`TextError::TooLong`] if it is
    /// longer than `positions` and must not be cut.
    pub fn encode(
        &self,
        text: &str,
        positions: usize,
        truncation: Truncation,
    ) -> Result<TokenizedText, TextError> {
        let failed = |error: tokenizers::Error| TextError::Tokenizer(error.to_string());
        let mut encoding = self.0.encode_char_offsets(text, false).map_err(failed)?;
        if encoding.is_empty() {
            return Err(TextError::Empty);
        }
        let special = self
            .0
            .get_post_processor()
            .map_or(0, |p| tokenizers::PostProcessor::added_tokens(p, false));
        let tokens = encoding.len() + special;
        if tokens > positions {
            if truncation == Truncation::Refuse || positions <= special {
                return Err(TextError::TooLong { tokens, positions });
            }
            encoding.truncate(positions - special, 0, TruncationDirection::Right);
        }
        let encoding = self.0.post_process(encoding, None, true).map_err(failed)?;

        let tokens_of_text = (0..encoding.len()).map(|i| {
            let (start, end) = encoding.get_offsets()[i];
            Token {
                text: encoding.get_tokens()[i].clone(),
                id: encoding.get_ids()[i],
                start,
                end,
                word: encoding.get_word_ids()[i],
                special: encoding.get_special_tokens_mask()[i] == 1,
            }
        });
        Ok(TokenizedText {
            text: text.to_owned(),
            tokens: tokens_of_text.collect(),
            types: encoding.get_type_ids().to_vec(),
            dropped: tokens.saturating_sub(positions),
        })
    }
}
