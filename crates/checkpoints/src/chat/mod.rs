//! Chats: messages that a template of the model's files writes as one text.
//!
//! The template is one of the files, written by whoever published the model. It runs in an engine that has no
//! files and no network, and is stopped when it does too much.

mod messages;
mod python;
mod template;

use serde_json::{Map, Value};

use crate::CheckpointError;
use crate::files::{
    CHAT_TEMPLATE, CHAT_TEMPLATE_OF_PROCESSOR, DEFAULT_CHAT_TEMPLATE, File, Files, TOKENIZER_CONFIG,
};
use crate::json::from_json;

pub use messages::messages;

/// Why a chat cannot be written as a text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChatError {
    /// The model's files have no template.
    #[error(
        "the model has no chat template: neither tokenizer_config.json nor chat_template.jinja gives one, so \
         it was not made for chats"
    )]
    NoTemplate,
    /// There are templates, but none for a chat without tools.
    #[error("the model has no chat template `default`; it has {}", .0.join(", "))]
    NoDefault(Vec<String>),
    /// The template cannot be read, or fails.
    #[error("the chat template of {file} fails: {message}")]
    Template {
        /// The file that it stands in.
        file: String,
        /// What the engine says.
        message: String,
    },
    /// The template refuses these messages.
    #[error("the model's chat template refuses the messages: {0}")]
    Refused(String),
    /// There is no message.
    #[error("the list of messages is empty")]
    NoMessage,
}

/// The template of a model, and the tokens that it can name.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Chat {
    found: Found,
    /// `bos_token`, `eos_token` and the like.
    tokens: Map<String, Value>,
}

/// What the files have.
#[derive(Clone, Debug, Default, PartialEq)]
enum Found {
    /// No template.
    #[default]
    Nothing,
    /// Templates of these names, of which none is for a chat.
    Others(Vec<String>),
    /// The template, and the file that it stands in.
    Template { text: String, file: String },
}

impl Chat {
    /// What the files say: a file of its own counts before the `template` of `tokenizer_config.json`, as in
    /// `transformers`. The template can name `tokens`: `bos_token`, `eos_token` and the like.
    pub(crate) fn read(
        files: &Files,
        template: Option<&Value>,
        tokens: Map<String, Value>,
    ) -> Result<Self, CheckpointError> {
        for name in [CHAT_TEMPLATE, DEFAULT_CHAT_TEMPLATE] {
            if let Some(file) = files.get(name) {
                let text = file.text()?;
                let found = Found::Template {
                    text,
                    file: name.to_owned(),
                };
                return Ok(Self { found, tokens });
            }
        }
        let mut found = Found::of(template, TOKENIZER_CONFIG);
        if let (Ok(Found::Nothing), Some(file)) = (&found, files.get(CHAT_TEMPLATE_OF_PROCESSOR)) {
            let keys: Map<String, Value> =
                from_json(&file.text()?).map_err(|message| wrong(&file, message))?;
            found = Found::of(keys.get("chat_template"), CHAT_TEMPLATE_OF_PROCESSOR);
            return Ok(Self {
                found: found.map_err(|message| wrong(&file, message))?,
                tokens,
            });
        }
        let found = found.map_err(|message| match files.get(TOKENIZER_CONFIG) {
            Some(file) => wrong(&file, message),
            None => CheckpointError::Tokenizer {
                path: TOKENIZER_CONFIG.into(),
                message,
            },
        })?;
        Ok(Self { found, tokens })
    }

    /// Whether there is a template that can be read.
    pub(crate) fn check(&self) -> Result<(), ChatError> {
        let (text, file) = self.template()?;
        template::check(text).map_err(failed(file))
    }

    /// The messages as one text, which the model's answer follows.
    pub(crate) fn text(&self, messages: &[Map<String, Value>]) -> Result<String, ChatError> {
        let (text, file) = self.template()?;
        if messages.is_empty() {
            return Err(ChatError::NoMessage);
        }
        match template::render(text, &self.tokens, messages) {
            Ok(text) => Ok(text),
            Err(template::Fault::Refused(message)) => Err(ChatError::Refused(message)),
            Err(template::Fault::Failed(message)) => Err(failed(file)(message)),
        }
    }

    fn template(&self) -> Result<(&str, &str), ChatError> {
        match &self.found {
            Found::Template { text, file } => Ok((text, file)),
            Found::Nothing => Err(ChatError::NoTemplate),
            Found::Others(names) => Err(ChatError::NoDefault(names.clone())),
        }
    }
}

impl Found {
    /// What the key `chat_template` of a file says: a template, or a list of named ones.
    fn of(value: Option<&Value>, file: &str) -> Result<Self, String> {
        let template = |text: &str| Self::Template {
            text: text.to_owned(),
            file: file.to_owned(),
        };
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let named: Option<Vec<(String, String)>> = match value {
            None | Some(Value::Null) => return Ok(Self::Nothing),
            Some(Value::String(text)) => return Ok(template(text)),
            Some(Value::Array(list)) => list
                .iter()
                .map(|one| Some((text(one.get("name")?)?, text(one.get("template")?)?)))
                .collect(),
            Some(Value::Object(names)) => names
                .iter()
                .map(|(name, one)| Some((name.clone(), text(one)?)))
                .collect(),
            Some(_) => None,
        };
        let named = named.ok_or("`chat_template` must be a template, or a list of named ones")?;
        Ok(match named.iter().find(|(name, _)| name == "default") {
            Some((_, text)) => template(text),
            None => Self::Others(named.into_iter().map(|(name, _)| name).collect()),
        })
    }
}

fn failed(file: &str) -> impl Fn(String) -> ChatError {
    move |message| ChatError::Template {
        file: file.to_owned(),
        message,
    }
}

fn wrong(file: &File, message: String) -> CheckpointError {
    CheckpointError::Tokenizer {
        path: file.path().to_owned(),
        message,
    }
}

#[cfg(test)]
mod tests;
