//! Text to tokens: the pieces, the cut, and what is put around.

use relprop_transformer::TokenizedText;
use tokenizers::utils::truncation::{TruncationDirection, TruncationParams, truncate_encodings};
use tokenizers::{Encoding, PostProcessor};

use super::{TextError, Tokenizer, Truncation, tokens};

/// How a text is split.
#[derive(Clone, Copy)]
pub(super) struct Way {
    /// Whether special tokens are put around it.
    pub(super) special: bool,
    /// Whether it is in the language of outputs.
    pub(super) output: bool,
}

impl Way {
    /// As a model reads it.
    pub(super) const SOURCE: Self = Self {
        special: true,
        output: false,
    };
}

impl Tokenizer {
    /// The tokens of a text, or of a pair, that are at most so many.
    pub(super) fn split(
        &self,
        first: &str,
        second: Option<&str>,
        positions: usize,
        truncation: Truncation,
        way: Way,
    ) -> Result<TokenizedText, TextError> {
        let failed = |error: tokenizers::Error| TextError::Tokenizer(error.to_string());
        // A text that is read in windows is cut later.
        let positions = match truncation {
            Truncation::Windows if second.is_none() && way.special => usize::MAX,
            _ => self.positions(positions),
        };
        let encode = |text: &str| {
            let encoding = match &self.languages {
                None => self.inner.encode_char_offsets(text, false),
                Some(languages) => languages.encode(text, way.output),
            };
            let encoding = encoding.map_err(failed)?;
            if encoding.is_empty() {
                return Err(TextError::Empty);
            }
            Ok(encoding)
        };
        let encoding = encode(first)?;
        let pair = second.map(encode).transpose()?;

        let covered = [
            tokens::covered(first, &encoding),
            (second.zip(pair.as_ref()))
                .map_or_else(Vec::new, |(text, encoding)| tokens::covered(text, encoding)),
        ];

        let post_processor = self.post_processor.as_ref().filter(|_| way.special);
        let special = post_processor.map_or(0, |step| step.added_tokens(second.is_some()));
        let lengths = [Some(&encoding), pair.as_ref()];
        let lengths = lengths.map(|encoding| encoding.map_or(0, Encoding::len));
        let tokens = lengths[0] + lengths[1] + special;
        // At least one token of each text must be left.
        let least = special + 1 + usize::from(second.is_some());
        let refuses = matches!(truncation, Truncation::Refuse | Truncation::Windows);
        if tokens > positions && (refuses || positions < least) {
            return Err(TextError::TooLong { tokens, positions });
        }
        let limit = TruncationParams {
            max_length: positions.saturating_sub(special),
            direction: match truncation {
                Truncation::CutStart => TruncationDirection::Left,
                Truncation::Cut if self.reading.cut_at_start => TruncationDirection::Left,
                Truncation::Cut | Truncation::Refuse | Truncation::Windows => {
                    TruncationDirection::Right
                }
            },
            ..TruncationParams::default()
        };
        let (mut encoding, mut pair) =
            truncate_encodings(encoding, pair, &limit).map_err(failed)?;
        // Without a last step, and with some, the encoding does not say which text a token belongs
        // to.
        encoding.set_sequence_id(0);
        if let Some(pair) = &mut pair {
            pair.set_sequence_id(1);
        }
        let encoding = match post_processor {
            Some(step) => step.process(encoding, pair, true).map_err(failed)?,
            None => Encoding::merge([Some(encoding), pair].into_iter().flatten(), false),
        };
        let mut text = tokens::tokenized(
            first,
            second,
            &covered,
            &encoding,
            tokens.saturating_sub(positions),
        );
        if self.reading.one_segment {
            text.types.fill(0);
        }
        Ok(text)
    }
}
