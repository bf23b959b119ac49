//! The keys of a `config.json`, and the field of the configuration that each one sets.
//!
//! The constants are keys that several families have, some under a name of their own.

pub mod blocks;
pub mod experts;
pub(crate) mod read;
pub mod rotary;

use relprop_rules::operations::{Activation, NormScale};
use serde_json::{Map, Value, json};

use crate::family::Keys;
use relprop_transformer::{FeedForwardConfig, Head, InputConfig, Probabilities, TransformerConfig};

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

/// Keys that change no logit in any family: settings of training, generation and saving, and ids of
/// tokens that the tokenizer knows by itself.
///
/// They are the fields of `PreTrainedConfig` in transformers 5.24 and of older versions, the keys that
/// it takes away because they are generation's (`GenerationConfig`), and what its code reads in
/// training alone.
pub const HARMLESS: &[&str] = &[
    "_attn_implementation",
    "_attn_implementation_autoset",
    "_attn_implementation_internal",
    "_commit_hash",
    "_experts_implementation",
    "_name_or_path",
    "_num_labels",
    "assistant_confidence_threshold",
    "assistant_lookbehind",
    "attn_implementation",
    "auto_map",
    "bad_words_ids",
    "base_model_pp_plan",
    "base_model_tp_plan",
    "begin_suppress_tokens",
    "bos_token_id",
    "chunk_size_feed_forward",
    "classifier_dropout",
    "cls_token_id",
    "compile_config",
    "cross_attention_hidden_size",
    "decoder_start_token_id",
    "distributed_config",
    "diversity_penalty",
    "do_sample",
    "dtype",
    "early_stopping",
    "encoder_no_repeat_ngram_size",
    "encoder_repetition_penalty",
    "eos_token_id",
    "eos_token_ids",
    "epsilon_cutoff",
    "eta_cutoff",
    "experts_implementation",
    "exponential_decay_length_penalty",
    "finetuning_task",
    "forced_bos_token_id",
    "forced_eos_token_id",
    "gradient_checkpointing",
    "hidden_dropout",
    "id2label",
    "label2id",
    "num_labels",
    "init_std",
    "initializer_factor",
    "initializer_range",
    "label2id",
    "language",
    "length_penalty",
    "mask_token_id",
    "max_length",
    "min_length",
    "model_max_length",
    "name",
    "name_or_path",
    "no_repeat_ngram_size",
    "num_assistant_tokens",
    "num_assistant_tokens_schedule",
    "num_beam_groups",
    "num_beams",
    "num_labels",
    "num_return_sequences",
    "output_attentions",
    "output_hidden_states",
    "output_past",
    "output_scores",
    "prefix",
    "problem_type",
    "remove_invalid_values",
    "repetition_penalty",
    "return_dict",
    "return_dict_in_generate",
    "sbert_ce_default_activation_function",
    "sentence_transformers",
    "sep_token_id",
    "suppress_tokens",
    "target_lookbehind",
    "task_specific_params",
    "temperature",
    "tf_legacy_loss",
    "tie_encoder_decoder",
    "tie_weights_",
    "tie_word_embeddings",
    "tokenizer_class",
    "top_k",
    "top_p",
    "torch_dtype",
    "torchscript",
    "transformers.js_config",
    "transformers_version",
    "typical_p",
    "unk_token_id",
    "use_bfloat16",
    "use_cache",
    "use_return_dict",
];

/// What transformers calls the activations; the first name of each is the one that is written.
const ACTIVATIONS: [(&str, Activation); 10] = [
    ("gelu", Activation::Gelu),
    ("gelu_python", Activation::Gelu),
    ("gelu_new", Activation::GeluTanh),
    ("gelu_pytorch_tanh", Activation::GeluTanh),
    ("gelu_python_tanh", Activation::GeluTanh),
    ("gelu_fast", Activation::GeluTanh),
    ("relu", Activation::Relu),
    ("silu", Activation::Silu),
    ("swish", Activation::Silu),
    ("tanh", Activation::Tanh),
];

/// More labels than any classifier has; a file that says so is damaged.
const MOST_LABELS: usize = 1 << 20;

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

/// `id2label`: the labels by the numbers of their logits.
pub const LABELS: Key = Key::Custom {
    required: false,
    read: |config, value| {
        let wrong = || KeyError::must_be(value, "a label for each of the ids 0, 1, 2, ...");
        let by_id = value.as_object().ok_or_else(wrong)?;
        let labels = (0..by_id.len()).map(|id| by_id.get(&id.to_string()).and_then(label_name));
        label(config, labels.collect::<Option<_>>().ok_or_else(wrong)?);
        Ok(())
    },
    write: |config| {
        let labels = config.labels.iter().enumerate();
        let labels = labels.map(|(id, label)| (id.to_string(), json!(label)));
        Value::Object(labels.collect())
    },
};

/// Gives a classifier these labels. Unless the file says more, probabilities follow from logits by a softmax,
/// of a single label by a sigmoid, as in the pipelines of transformers.
fn label(config: &mut TransformerConfig, labels: Vec<String>) {
    config.probabilities = match labels.len() {
        1 => Probabilities::Sigmoid,
        _ => Probabilities::Softmax,
    };
    config.labels = labels;
}

/// A label's name. Numbers and booleans are called as Python writes them.
fn label_name(name: &Value) -> Option<String> {
    match name {
        Value::String(name) => Some(name.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(true) => Some("True".to_owned()),
        Value::Bool(false) => Some("False".to_owned()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// What a head that classifies is told: its labels, and how their probabilities follow.
#[rustfmt::skip]
pub const CLASSES: Keys = &[
    ("id2label", LABELS),
    ("label2id", IDS),
    ("num_labels", LABEL_COUNT),
    ("problem_type", PROBLEM),
    ("sbert_ce_default_activation_function", ACTIVATION_OF_SCORES),
    ("sentence_transformers", ACTIVATION_OF_SCORES),
];

/// `problem_type`: how probabilities follow from the logits, where it is not as [`label`] has it.
const PROBLEM: Key = Key::Custom {
    required: false,
    read: |config, value| {
        config.probabilities = match value.as_str() {
            Some("regression") => Probabilities::None,
            Some("multi_label_classification") => Probabilities::Sigmoid,
            Some("single_label_classification") => Probabilities::Softmax,
            _ => {
                let known = "`regression`, `single_label_classification` or \
                             `multi_label_classification`";
                return Err(KeyError::must_be(value, known));
            }
        };
        Ok(())
    },
    write: |config| match (config.probabilities, config.labels.len()) {
        (Probabilities::None, _) => json!("regression"),
        (Probabilities::Sigmoid, 1) => Value::Null,
        (Probabilities::Sigmoid, _) => json!("multi_label_classification"),
        (Probabilities::Softmax, 1) => json!("single_label_classification"),
        (Probabilities::Softmax, _) => Value::Null,
    },
};

/// What sentence-transformers makes of the logits of a cross-encoder: the name of a class of PyTorch, by
/// itself or as `activation_fn`.
const ACTIVATION_OF_SCORES: Key = Key::Custom {
    required: false,
    read: |config, value| {
        let class = value.get("activation_fn").unwrap_or(value).as_str();
        let class = class.and_then(|class| class.rsplit('.').next());
        match class {
            Some("Identity") => config.probabilities = Probabilities::None,
            Some("Sigmoid") => config.probabilities = Probabilities::Sigmoid,
            Some("Softmax") => config.probabilities = Probabilities::Softmax,
            // It says something else, or means a function that is no probability: scores are logits.
            Some(_) => config.probabilities = Probabilities::None,
            None => {}
        }
        Ok(())
    },
    write: |_| Value::Null,
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

/// `label2id`: repeats `id2label`, but transformers needs it.
pub const IDS: Key = Key::Custom {
    required: false,
    read: |_, _| Ok(()),
    write: |config| {
        let labels = config.labels.iter().enumerate();
        let ids = labels.map(|(id, label)| (label.clone(), json!(id)));
        Value::Object(ids.collect::<Map<_, _>>())
    },
};

/// `num_labels`: where it disagrees with `id2label`, transformers gives the labels new names.
pub const LABEL_COUNT: Key = Key::Custom {
    required: false,
    read: |config, value| {
        let count = size(value)?;
        if count > MOST_LABELS {
            return Err(KeyError::must_be(value, "a number of labels"));
        }
        if count != config.labels.len() {
            label(config, numbered(count));
        }
        Ok(())
    },
    write: |_| Value::Null,
};

/// The labels of a classifier that names none.
pub fn numbered(count: usize) -> Vec<String> {
    (0..count).map(|id| format!("LABEL_{id}")).collect()
}
