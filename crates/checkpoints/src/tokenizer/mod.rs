//! Text to tokens, and back to the places in the text that they come from.

mod byte_level;
mod bytes;
mod charsmap;
mod class;
mod error;
mod esm;
mod frame;
mod languages;
mod patterns;
mod read;
mod rebuilt;
mod sentencepiece;
mod settings;
mod split;
mod template;
#[cfg(test)]
mod tests;
mod tokens;
mod wordpiece;
mod words;

use std::sync::Arc;

use serde_json::{Map, Value};
use tokenizers::{
    DecoderWrapper, Encoding, PostProcessor, PostProcessorWrapper, Tokenizer as Inner,
};

use relprop_transformer::TokenizedText;

use crate::chat::{Chat, messages};
use crate::files::TOKENIZER;
use crate::{ChatError, CheckpointError};

pub use error::{TextError, Truncation};
use languages::Languages;
pub(crate) use sentencepiece::Class;
use settings::Reading;
pub(crate) use settings::Settings;
use split::Way;

/// A tokenizer as `tokenizer.json` describes it.
#[derive(Clone, Debug)]
pub struct Tokenizer {
    /// The tokenizer without its last step. A vocabulary is large, so copies of a model share it.
    inner: Arc<Inner>,
    /// The last step, which puts special tokens around a text. It is separate because it must run
    /// once, after a text is cut.
    post_processor: Option<PostProcessorWrapper>,
    /// Other settings of the files for how texts are read.
    reading: Reading,
    /// How chats are written.
    chat: Arc<Chat>,
    /// What cuts texts, where there are two languages; `inner` then has their vocabulary.
    languages: Option<Arc<Languages>>,
}

impl Tokenizer {
    /// Takes over a tokenizer of the `tokenizers` crate. Its own padding and truncation are
    /// switched off: relprop does both.
    pub fn new(mut inner: Inner) -> Self {
        inner.with_padding(None);
        // Only setting a truncation can fail.
        let _ = inner.with_truncation(None);
        let post_processor = inner.get_post_processor().cloned();
        inner.with_post_processor(None::<PostProcessorWrapper>);
        Self {
            inner: Arc::new(inner),
            post_processor,
            reading: Reading::default(),
            chat: Arc::default(),
            languages: None,
        }
    }

    /// The same with a template of chats.
    pub(crate) fn with_chat(self, chat: Chat) -> Self {
        let chat = Arc::new(chat);
        Self { chat, ..self }
    }

    /// Whether there is a template of chats that can be read.
    ///
    /// # Errors
    ///
    /// A [`ChatError`] that says why not.
    pub fn check_chat(&self) -> Result<(), ChatError> {
        self.chat.check()
    }

    /// The chat that `text` is, as the model's template writes it, up to where the model is to answer: a list
    /// of [messages](crate::messages) in JSON, or a text that a user says.
    ///
    /// # Errors
    ///
    /// A [`ChatError`] if there is no template, or it fails.
    pub fn chat(&self, text: &str) -> Result<String, ChatError> {
        self.chat.text(&messages(text))
    }

    /// Writes a `tokenizer.json`.
    ///
    /// # Errors
    ///
    /// [`CheckpointError::Tokenizer`] with the message of the `tokenizers` crate.
    pub fn to_json(&self) -> Result<String, CheckpointError> {
        if self.languages.is_some() {
            let message = "a tokenizer of two languages cannot be written as one file".to_owned();
            return Err(wrong(TOKENIZER)(message));
        }
        let mut whole = Inner::clone(&self.inner);
        whole.with_post_processor(self.post_processor.clone());
        let pretty = true;
        let written = whole.to_string(pretty);
        written.map_err(|error| wrong(TOKENIZER)(error.to_string()))
    }

    /// How many embeddings a model needs for this vocabulary: one more than the largest id. Added
    /// tokens count, and so do the tokens that are put around texts, whose ids the file gives a
    /// second time.
    pub fn vocabulary_size(&self) -> usize {
        self.embeddings(true)
    }

    /// The same with or without the added tokens. A model may lack embeddings of added tokens that
    /// no text has.
    pub(crate) fn embeddings(&self, added: bool) -> usize {
        let special_tokens = |pair: Option<Encoding>| {
            let step = self.post_processor.as_ref()?;
            step.process(Encoding::default(), pair, true).ok()
        };
        let special = [
            special_tokens(None),
            special_tokens(Some(Encoding::default())),
        ];
        let special = special
            .iter()
            .flatten()
            .flat_map(Encoding::get_ids)
            .copied();
        let ids = self.inner.get_vocab(added).into_values().chain(special);
        ids.max().map_or(0, |largest| largest as usize + 1)
    }

    /// The `tokenizer_config.json` that goes with [`Tokenizer::to_json`], for a model with this
    /// many positions and kinds of segments.
    pub(crate) fn settings(&self, positions: usize, segments: usize) -> Map<String, Value> {
        let mut inputs = vec!["input_ids", "attention_mask"];
        if segments > 1 && !self.reading.one_segment {
            inputs.push("token_type_ids");
        }
        let side = if self.reading.cut_at_start {
            "left"
        } else {
            "right"
        };
        let split = self.inner.get_encode_special_tokens();
        let settings = [
            ("tokenizer_class", "PreTrainedTokenizerFast".into()),
            ("model_input_names", inputs.into()),
            ("model_max_length", self.positions(positions).into()),
            ("truncation_side", side.into()),
            ("split_special_tokens", split.into()),
        ];
        let padding = ("padding_side", "left".into());
        let settings = settings.into_iter();
        settings
            .chain(self.reading.pads_at_start.then_some(padding))
            .map(|(key, value)| (key.to_owned(), value))
            .collect()
    }

    /// The same for texts of at most so many tokens.
    pub(crate) fn at_most(mut self, longest: Option<usize>) -> Self {
        let known = self.reading.longest.into_iter().chain(longest);
        self.reading.longest = known.min();
        self
    }

    /// The token that stands for one that is to be found: `[MASK]` or `<mask>`, unless the files say
    /// another. None if the vocabulary has none.
    pub fn mask(&self) -> Option<u32> {
        let said = self.reading.mask.iter().map(String::as_str);
        said.chain(["[MASK]", "<mask>"])
            .find_map(|mask| self.id(mask))
    }

    /// The token that fills texts, if the files or their class name one that the vocabulary has, and whether it stands before
    /// them.
    pub(crate) fn padding(&self) -> Option<(u32, bool)> {
        let token = self.reading.padding.as_deref()?;
        Some((self.id(token)?, self.reading.pads_at_start))
    }

    /// Whether a text that is too long is cut at its start.
    pub(crate) fn cuts_at_start(&self) -> bool {
        self.reading.cut_at_start
    }

    /// The largest number of tokens of a text, for a model with this many positions.
    pub(crate) fn positions(&self, positions: usize) -> usize {
        self.reading
            .longest
            .map_or(positions, |longest| longest.min(positions))
    }

    /// The id of `token`, if the vocabulary has it.
    pub fn id(&self, token: &str) -> Option<u32> {
        self.inner.token_to_id(token)
    }

    /// The token with the number `id`, if the vocabulary has it.
    pub fn token(&self, id: u32) -> Option<String> {
        self.inner.id_to_token(id)
    }

    /// The token with the number `id` as it would stand in a text: ` film` for `Ġfilm` or `▁film`.
    /// A token whose bytes are no whole character has the sign � for them.
    pub fn readable(&self, id: u32) -> Option<String> {
        let bytes = self.bytes(id)?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Whether the token with the number `id` stands for no text: the end of one, padding.
    pub fn is_special(&self, id: u32) -> bool {
        let token = self.token(id);
        token.is_some_and(|token| self.inner.get_added_vocabulary().is_special_token(&token))
    }

    /// The tokens that stand for `text`: those whose [readable](Tokenizer::readable) form is
    /// `text`. If there is none, the token that the vocabulary spells so, such as `##ly` or
    /// `[CLS]`. In a byte-level vocabulary the letter `é` can spell a byte; it is then not the
    /// token whose readable form is `é`.
    pub fn find(&self, text: &str) -> Vec<u32> {
        let mut ids: Vec<u32> = self.inner.get_vocab(true).into_values().collect();
        ids.sort_unstable();
        ids.retain(|&id| self.readable(id).as_deref() == Some(text));
        if ids.is_empty() {
            ids.extend(self.id(text));
        }
        ids
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
        self.split(text, None, positions, truncation, Way::SOURCE)
    }

    /// Splits an output, or a part of it, into tokens as [`Tokenizer::encode`] does a text; where there are two languages,
    /// by the pieces of the second.
    ///
    /// # Errors
    ///
    /// As [`Tokenizer::encode`].
    pub fn encode_output(
        &self,
        text: &str,
        positions: usize,
        truncation: Truncation,
    ) -> Result<TokenizedText, TextError> {
        let way = Way {
            special: true,
            output: true,
        };
        self.split(text, None, positions, truncation, way)
    }

    /// Splits a text that has all its special tokens in it, such as a [chat](Tokenizer::chat): none are put
    /// around it.
    ///
    /// # Errors
    ///
    /// As [`Tokenizer::encode`].
    pub fn encode_whole(
        &self,
        text: &str,
        positions: usize,
        truncation: Truncation,
    ) -> Result<TokenizedText, TextError> {
        let way = Way {
            special: false,
            output: false,
        };
        self.split(text, None, positions, truncation, way)
    }

    /// Splits a pair of texts into at most `positions` tokens, special ones included. If they are
    /// too long, the longer one is cut.
    ///
    /// # Errors
    ///
    /// As [`Tokenizer::encode`], for either text.
    pub fn encode_pair(
        &self,
        [first, second]: [&str; 2],
        positions: usize,
        truncation: Truncation,
    ) -> Result<TokenizedText, TextError> {
        self.split(first, Some(second), positions, truncation, Way::SOURCE)
    }
}

/// The error for the file of this name.
fn wrong(file: &str) -> impl Fn(String) -> CheckpointError {
    move |message| CheckpointError::Tokenizer {
        path: file.into(),
        message,
    }
}

/// Whether the vocabulary spells bytes, each as a letter: GPT-2 and many after it.
fn spells_bytes(decoder: Option<&DecoderWrapper>) -> bool {
    match decoder {
        Some(DecoderWrapper::ByteLevel(_)) => true,
        Some(DecoderWrapper::Sequence(steps)) => {
            (steps.get_decoders().iter()).any(|step| spells_bytes(Some(step)))
        }
        _ => false,
    }
}
