//! The keys of a `config.json`, and the field of the configuration that each one sets.
//!
//! The constants are keys that several families have, some under a name of their own.

pub mod blocks;
mod classes;
pub mod experts;
mod harmless;
pub(crate) mod read;
pub mod rotary;
mod scaling;

use relprop_rules::operations::{Activation, NormScale};
use serde_json::{Value, json};

use relprop_transformer::{FeedForwardConfig, Head, InputConfig, TransformerConfig};

pub use classes::{CLASSES, IDS, LABEL_COUNT, LABELS, numbered};
pub use harmless::HARMLESS;

/// What a key of `config.json` means, and how it is read and written.
#[derive(Clone, Copy)]
pub enum Key {
    /// A size.
    Size(fn(&mut TransformerConfig) -> &mut usize),
    /// The name of an activation.
    Activation(fn(&mut TransformerConfig) -> &mut Activation),
    /// A number.
    Number(fn(&mut TransformerConfig) -> &mut f64),
    /// The id of a token.
    Token(fn(&mut TransformerConfig) -> &mut u32),
    /// True or false.
    Flag(fn(&mut TransformerConfig) -> &mut bool),
    /// An option of which only this value, given as JSON, is supported.
    Only(&'static str),
    /// Anything else. A key that is absent or null changes nothing.
    Custom {
        /// Whether it must be given.
        required: bool,
        /// Sets what the key stands for.
        read: fn(&mut TransformerConfig, &Value) -> Result<(), KeyError>,
        /// The key's value; null if it need not be written.
        write: fn(&TransformerConfig) -> Value,
    },
    /// Like [`Key::Custom`], for a key that means something when it is absent or null.
    Derived {
        /// Sets what the key stands for; the value is none if the key is not there, and may be null.
        read: fn(&mut TransformerConfig, Option<&Value>) -> Result<(), KeyError>,
        /// The key's value.
        write: fn(&TransformerConfig) -> Value,
    },
}

/// What is wrong with the value of a key. It is said after the key's name: `is 7; it must be true or
/// false`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct KeyError(String);

impl KeyError {
    /// A message that continues a sentence after the key's name.
    pub fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }

    /// The value is none of these: `true or false`.
    pub fn must_be(value: &Value, what: &str) -> Self {
        Self(format!("is {value}; it must be {what}"))
    }

    /// The value may be valid elsewhere, but only these are supported here.
    pub fn only(value: &Value, supported: &str) -> Self {
        Self(format!("is {value}; only {supported} is supported"))
    }

    /// The same error for a key inside the value of another.
    #[must_use]
    pub fn within(self, key: &str) -> Self {
        Self(format!("has `{key}`, which {self}"))
    }
}

/// What transformers calls the activations; the first name of each is the one that is written.
const ACTIVATIONS: [(&str, Activation); 11] = [
    ("gelu", Activation::Gelu),
    ("gelu_python", Activation::Gelu),
    ("gelu_new", Activation::GeluTanh),
    ("gelu_pytorch_tanh", Activation::GeluTanh),
    ("gelu_python_tanh", Activation::GeluTanh),
    ("gelu_fast", Activation::GeluTanh),
    ("relu", Activation::Relu),
    ("silu", Activation::Silu),
    ("swish", Activation::Silu),
    ("quick_gelu", Activation::QuickGelu),
    ("tanh", Activation::Tanh),
];

impl Key {
    pub(super) fn is_required(&self) -> bool {
        match self {
            Self::Custom { required, .. } => *required,
            Self::Size(_)
            | Self::Activation(_)
            | Self::Number(_)
            | Self::Token(_)
            | Self::Flag(_)
            | Self::Only(_)
            | Self::Derived { .. } => false,
        }
    }

    /// Sets what the key stands for. The error continues a sentence after the key's name.
    pub(super) fn read(
        &self,
        config: &mut TransformerConfig,
        value: &Value,
    ) -> Result<(), KeyError> {
        match self {
            Self::Size(field) => *field(config) = size(value)?,
            Self::Number(field) => *field(config) = number(value)?,
            Self::Flag(field) => *field(config) = flag(value)?,
            Self::Token(field) => {
                let id = value.as_u64().and_then(|id| u32::try_from(id).ok());
                *field(config) = id.ok_or_else(|| KeyError::must_be(value, "the id of a token"))?;
            }
            Self::Activation(field) => *field(config) = activation(value)?,
            Self::Only(supported) => {
                let known = serde_json::from_str(supported);
                if !known.is_ok_and(|supported: Value| supported == *value) {
                    return Err(KeyError::only(value, supported));
                }
            }
            Self::Custom { read, .. } => read(config, value)?,
            Self::Derived { read, .. } => read(config, Some(value))?,
        }
        Ok(())
    }

    /// Sets what the key means when it is absent or null.
    pub(super) fn without(
        &self,
        config: &mut TransformerConfig,
        value: Option<&Value>,
    ) -> Result<(), KeyError> {
        match self {
            Self::Derived { read, .. } => read(config, value),
            _ => Ok(()),
        }
    }

    /// The key's value; null if the key need not be written.
    pub(super) fn write(&self, config: &TransformerConfig) -> Value {
        let mut config = config.clone();
        match self {
            Self::Size(field) => json!(*field(&mut config)),
            Self::Number(field) => json!(*field(&mut config)),
            Self::Token(field) => json!(*field(&mut config)),
            Self::Flag(field) => json!(*field(&mut config)),
            Self::Activation(field) => name(*field(&mut config)).into(),
            Self::Custom { write, .. } | Self::Derived { write, .. } => write(&config),
            Self::Only(_) => Value::Null,
        }
    }
}

/// A size, as the value of a key.
///
/// # Errors
///
/// A [`KeyError`] if the value is another one.
pub fn size(value: &Value) -> Result<usize, KeyError> {
    let size = value.as_u64().and_then(|size| usize::try_from(size).ok());
    size.ok_or_else(|| KeyError::must_be(value, "a whole number"))
}

/// A number, as the value of a key.
///
/// # Errors
///
/// A [`KeyError`] if the value is another one.
pub fn number(value: &Value) -> Result<f64, KeyError> {
    let number = value.as_f64();
    number.ok_or_else(|| KeyError::must_be(value, "a number"))
}

/// True or false, as the value of a key.
///
/// # Errors
///
/// A [`KeyError`] if the value is another one.
pub fn flag(value: &Value) -> Result<bool, KeyError> {
    let flag = value.as_bool();
    flag.ok_or_else(|| KeyError::must_be(value, "true or false"))
}

/// An activation, as the value of a key.
///
/// # Errors
///
/// A [`KeyError`] if the value is the name of none.
pub fn activation(value: &Value) -> Result<Activation, KeyError> {
    let known = ACTIVATIONS
        .iter()
        .find(|(name, _)| value.as_str() == Some(name));
    known.map(|(_, activation)| *activation).ok_or_else(|| {
        let names = ACTIVATIONS.map(|(name, _)| format!("`{name}`"));
        KeyError(format!("is {value}; supported are {}", names.join(", ")))
    })
}

pub(crate) fn name(activation: Activation) -> &'static str {
    let named = ACTIVATIONS.iter().find(|(_, known)| *known == activation);
    named.map_or("", |(name, _)| name)
}

/// The feed-forward part, which every family of Hugging Face has.
pub fn feed_forward(config: &mut TransformerConfig) -> &mut FeedForwardConfig {
    config.feed_forward.get_or_insert(FeedForwardConfig {
        width: 0,
        activation: Activation::Gelu,
        gated: false,
        clip: None,
    })
}

/// `vocab_size`, of a model that reads texts.
pub const VOCABULARY: Key = Key::Custom {
    required: false,
    read: |config, value| {
        let vocabulary = size(value)?;
        config.input = InputConfig::Tokens { vocabulary };
        Ok(())
    },
    write: |config| match config.input {
        InputConfig::Tokens { vocabulary } => json!(vocabulary),
        InputConfig::Patches(_) => Value::Null,
    },
};

/// The epsilon inside the root of every norm.
pub const EPSILON: Key = Key::Custom {
    required: false,
    read: |config, value| {
        let epsilon = number(value)?;
        config.norm.scale = NormScale::InsideRoot(epsilon);
        config.embedding_norm = config.embedding_norm.and(Some(config.norm));
        Ok(())
    },
    write: |config| json!(config.norm.scale.epsilon()),
};

/// `tie_word_embeddings`: whether a language model's head is the table of word embeddings.
pub const TIED: Key = Key::Custom {
    required: false,
    read: |config, value| {
        config.head = config.head.with_tied(flag(value)?);
        Ok(())
    },
    write: |config| json!(config.head.is_tied()),
};

/// `pad_token_id`, where positions do not depend on it. No token looks at padding, so that any id will
/// do where the file says none: with null, -1, or an id beyond the vocabulary.
pub const PADDING: Key = Key::Custom {
    required: false,
    read: |config, value| {
        let id = value.as_u64().and_then(|id| u32::try_from(id).ok());
        let (id, known) = match (id, value.as_i64()) {
            (Some(id), _) if (id as usize) < config.vocabulary() => (id, true),
            (_, Some(-1..)) => (0, false),
            _ => return Err(KeyError::must_be(value, "the id of a token")),
        };
        config.padding_token = id;
        if let Head::LabelsAtEnd { skips_padding } = &mut config.head {
            *skips_padding = known;
        }
        Ok(())
    },
    write: |config| match config.head {
        Head::LabelsAtEnd {
            skips_padding: false,
        } => Value::Null,
        _ => json!(config.padding_token),
    },
};
