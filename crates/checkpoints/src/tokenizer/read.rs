//! Tokenizers from what their files say.

use std::sync::Arc;

use serde_json::{Map, Value};
use tokenizers::Tokenizer as Inner;

use super::template::undefined_token;
use super::{
    Class, Settings, Tokenizer, byte_level, charsmap, esm, languages, patterns, sentencepiece,
    wordpiece, wrong,
};
use crate::CheckpointError;
use crate::files::{TOKENIZER, VOCABULARY};

impl Tokenizer {
    /// The tokenizer that a `tokenizer.json` describes.
    ///
    /// # Errors
    ///
    /// [`CheckpointError::Tokenizer`] with the message of the `tokenizers` crate.
    pub fn from_json(text: &str) -> Result<Self, CheckpointError> {
        Self::parse(text, &Settings::default()).map_err(wrong(TOKENIZER))
    }

    pub(crate) fn parse(text: &str, settings: &Settings) -> Result<Self, String> {
        // The `tokenizers` crate panics at some places of a file that is no JSON.
        let json: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let settings = settings.clone().for_file(&json);
        Self::described(json, &settings)
    }

    /// The tokenizer of a `vocab.json` and a `merges.txt`.
    pub(crate) fn parse_merges(
        vocabulary: &str,
        merges: &str,
        settings: &Settings,
    ) -> Result<Self, String> {
        Self::described(
            byte_level::described(vocabulary, merges, settings)?,
            settings,
        )
    }

    /// The tokenizer of a `vocab.json` and of the `source.spm` and `target.spm` beside it.
    pub(crate) fn parse_languages(
        vocabulary: &str,
        pieces: [&[u8]; 2],
        settings: &Settings,
    ) -> Result<Self, String> {
        let (languages, json) = languages::described(vocabulary, pieces, settings)?;
        let inner = json.to_string().parse();
        let inner = inner.map_err(|error: tokenizers::Error| error.to_string())?;
        Ok(Self {
            reading: settings.reading(),
            languages: Some(Arc::new(languages)),
            ..Self::new(inner)
        })
    }

    /// The tokenizer of a `.model` file of sentencepiece, as this class builds it.
    pub(crate) fn parse_sentencepiece(
        bytes: &[u8],
        class: Class,
        settings: &Settings,
    ) -> Result<Self, String> {
        let (json, settings) = sentencepiece::described(bytes, class, settings)?;
        Self::described(json, &settings)
    }

    /// The tokenizer of these pieces of sentencepiece, each with its score and kind, as a model of their kind
    /// says by itself. Whether a space goes before a text is said.
    pub(crate) fn of_pieces(
        pieces: Vec<(String, f32, u64)>,
        unknown: usize,
        space: bool,
        settings: &Settings,
    ) -> Result<Self, String> {
        let (json, settings) = sentencepiece::of_pieces(pieces, unknown, space, settings)?;
        Self::described(json, &settings)
    }

    fn described(mut json: Value, settings: &Settings) -> Result<Self, String> {
        settings.known()?;
        // The `tokenizers` crate panics at a special token that is put around texts but defined
        // nowhere.
        if let Some(token) = undefined_token(&json["post_processor"]) {
            return Err(format!("`post_processor` has no special token `{token}`"));
        }
        if json.is_object() {
            settings.apply(&mut json);
            patterns::spell_out(&mut json)?;
            charsmap::check(&json["normalizer"])?;
        }
        let inner = json.to_string().parse();
        let inner = inner.map_err(|error: tokenizers::Error| error.to_string())?;
        Ok(Self::with(inner, settings))
    }

    /// A tokenizer to which the settings beside its file are still to be applied.
    fn with(mut inner: Inner, settings: &Settings) -> Self {
        settings.add_tokens(&mut inner);
        Self {
            reading: settings.reading(),
            ..Self::new(inner)
        }
    }

    /// BERT's tokenizer over a `vocab.txt`, one token a line, with the settings of a
    /// `tokenizer_config.json`; what is not set is as in `BertTokenizer`.
    ///
    /// # Errors
    ///
    /// [`CheckpointError::Tokenizer`] with the special token that the vocabulary lacks, or the message
    /// of the `tokenizers` crate.
    pub fn from_vocabulary(
        vocabulary: &[u8],
        settings: &Map<String, Value>,
    ) -> Result<Self, CheckpointError> {
        let settings = Settings::new(settings.clone());
        Self::parse_vocabulary(vocabulary, &settings).map_err(wrong(VOCABULARY))
    }

    pub(crate) fn parse_vocabulary(vocabulary: &[u8], settings: &Settings) -> Result<Self, String> {
        let inner = match settings.class() {
            Some("EsmTokenizer") => esm::parse(vocabulary, &settings.keys)?,
            _ => wordpiece::parse(vocabulary, &settings.keys)?,
        };
        Ok(Self::with(inner, settings))
    }
}
