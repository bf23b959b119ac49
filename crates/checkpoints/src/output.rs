//! What a decoder reads of a text that only has a source so far.

use std::path::Path;

use relprop_transformer::{AnswersAt, Outputs, Token, TokenizedText, TransformerConfig};
use serde_json::{Map, Value};

use crate::files::GENERATION;
use crate::json::from_json;
use crate::{CheckpointError, Files, Model, TextError, Truncation};

/// How a model of two stacks writes an output, by its files. The likeliest token comes next, within these limits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Writing {
    /// The token that every output begins with, after the one that stands before it, if there is one: the language, in
    /// models of many.
    pub first: Option<u32>,
    /// Tokens that no output has.
    pub never: Vec<u32>,
}

impl Writing {
    /// What the files say of how a model writes. As in `transformers`, `generation_config.json` counts before the `config`;
    /// what it says of the token before an output goes into `decoder`.
    pub(crate) fn read(
        files: &Files,
        config: &str,
        path: &Path,
        decoder: &mut TransformerConfig,
    ) -> Result<Self, CheckpointError> {
        let vocabulary = decoder.vocabulary();
        let outputs = decoder.head.outputs();
        let Some(decoder) = &mut decoder.decoder else {
            return Ok(Self::default());
        };
        if outputs != Outputs::Vocabulary {
            return Ok(Self::default());
        }
        let generation = files.get(GENERATION);
        let (text, path) = match &generation {
            Some(file) => (file.text()?, file.path()),
            None => (config.to_owned(), path),
        };
        let wrong = |message: String| CheckpointError::Config {
            path: path.to_owned(),
            message,
        };
        let keys: Map<String, Value> = from_json(&text).map_err(wrong)?;
        let token = |key: &str, value: &Value| {
            let id = value.as_u64().and_then(|id| u32::try_from(id).ok());
            let known = id.filter(|id| (*id as usize) < vocabulary);
            let message = format!("`{key}` is {value}; it must be an id of the vocabulary");
            known.ok_or_else(|| wrong(message))
        };
        let said = |key: &str| keys.get(key).filter(|value| !value.is_null());
        let one = |key: &str| said(key).map(|value| token(key, value)).transpose();
        if let Some(start) = one("decoder_start_token_id")? {
            decoder.start = start;
        }
        // Words of several tokens bar none of them by itself.
        let key = "bad_words_ids";
        let words = said(key).and_then(Value::as_array).into_iter().flatten();
        let alone = words.filter_map(|word| match word.as_array().map(Vec::as_slice) {
            Some([id]) => Some(token(key, id)),
            _ => None,
        });
        Ok(Self {
            first: one("forced_bos_token_id")?,
            never: alone.collect::<Result<_, _>>()?,
        })
    }
}

impl Model {
    /// The same text with what a decoder reads: where it classifies, the text once more, one token later; where it writes,
    /// the tokens before every output.
    pub(crate) fn with_output(&self, mut text: TokenizedText) -> TokenizedText {
        let config = self.transformer.config();
        let Some(decoder) = config.decoder else {
            return text;
        };
        let length = text.text.chars().count();
        let before = |id: u32| Token {
            text: self
                .tokenizer()
                .and_then(|tokenizer| tokenizer.token(id))
                .unwrap_or_default(),
            id,
            start: length,
            end: length,
            word: None,
            special: true,
        };
        text.source = text.tokens.len();
        let mut output = vec![before(decoder.start)];
        match config.head.outputs() {
            Outputs::Vocabulary => output.extend(self.writing.first.map(before)),
            _ => {
                output.extend_from_slice(&text.tokens[..text.source - 1]);
                // What is classified is the state that has just read all before the last end of a text.
                let ends = |token: &Token| self.ends.contains(&token.id);
                let end = text.tokens.iter().rposition(ends);
                let end = end.filter(|_| config.head.answers_at() == AnswersAt::Last);
                text.asked = end.map(|end| text.source + end).into_iter().collect();
            }
        }
        text.types.extend(vec![0; output.len()]);
        text.tokens.extend(output);
        text
    }

    /// Splits an output, or a part of it, into tokens as the model writes them, special ones left out.
    ///
    /// # Errors
    ///
    /// As [`Model::tokenize`].
    pub fn tokenize_output(&self, text: &str) -> Result<Vec<Token>, TextError> {
        let tokenizer = self.tokenizer().ok_or(TextError::Pictures)?;
        let positions = self.transformer.config().positions;
        let text = tokenizer.encode_output(text, positions, Truncation::Refuse)?;
        let text = self.known(text)?;
        let tokens = text.tokens.into_iter();
        Ok(tokens.filter(|token| !token.special).collect())
    }
}
