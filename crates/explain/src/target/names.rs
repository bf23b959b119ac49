//! What a name in a target stands for: a label, an index, a class of entities, a token.

use relprop_checkpoints::{Model, Truncation};
use relprop_transformer::{Outputs, Targets};

use super::{Target, UnknownTarget};
use crate::question::tag;

/// The names that targets may have.
pub(super) enum Names<'a> {
    /// None at all: what is written by `id:N` alone needs none.
    None,
    /// Labels of a text.
    Labels(&'a [String]),
    /// Labels of tokens, and the classes of entities that they name.
    TokenLabels(&'a [String]),
    /// Tokens of the vocabulary.
    Tokens(&'a Model),
}

impl<'a> Names<'a> {
    pub(super) fn of(model: &'a Model) -> Self {
        let config = model.transformer.config();
        match (config.targets(), config.head.outputs()) {
            (Targets::Labels(labels), Outputs::TokenLabels) => Self::TokenLabels(labels),
            (Targets::Labels(labels), _) => Self::Labels(labels),
            (Targets::Vocabulary, _) => Self::Tokens(model),
            (Targets::Nothing, _) => Self::None,
        }
    }

    /// What `name` stands for. None if it stands for nothing.
    pub(super) fn find(&self, name: &str) -> Result<Option<Target>, UnknownTarget> {
        match self {
            Self::None => Ok(None),
            Self::Labels(labels) => Ok(label(name, labels)?.map(Target::Label)),
            Self::TokenLabels(labels) => match label(name, labels)? {
                Some(index) => Ok(Some(Target::Label(index))),
                None => Ok(class(name, labels).map(Target::Class)),
            },
            Self::Tokens(model) => Ok(token(model, name)?.map(Target::Label)),
        }
    }

    /// What is in quotes is a name, never an index.
    pub(super) fn quoted(&self, name: &str) -> Result<Option<Target>, UnknownTarget> {
        match self {
            Self::Labels(labels) | Self::TokenLabels(labels) => {
                let mut named = (0..labels.len()).filter(|&index| labels[index] == name);
                match (named.next(), named.next()) {
                    (Some(index), None) => Ok(Some(Target::Label(index))),
                    _ => self.find(name),
                }
            }
            Self::None | Self::Tokens(_) => self.find(name),
        }
    }

    /// What is said of a text that is no target.
    pub(super) fn unknown(&self, text: &str) -> UnknownTarget {
        let (labels, pieces) = match self {
            Self::None => (Vec::new(), Vec::new()),
            Self::Labels(labels) | Self::TokenLabels(labels) => (labels.to_vec(), Vec::new()),
            Self::Tokens(model) => (Vec::new(), pieces(model, text)),
        };
        UnknownTarget {
            text: text.to_owned(),
            labels,
            pieces,
            readings: Vec::new(),
        }
    }
}

/// The index of the label that `text` names, or is. None if it is neither.
fn label(text: &str, labels: &[String]) -> Result<Option<usize>, UnknownTarget> {
    let named = (0..labels.len()).filter(|&index| labels[index] == text);
    let index = text.parse().ok().filter(|index| *index < labels.len());
    let mut readings: Vec<usize> = named.chain(index).collect();
    readings.sort_unstable();
    readings.dedup();
    match readings.as_slice() {
        [] => Ok(None),
        [one] => Ok(Some(*one)),
        several => {
            let said = several.iter().map(|&index| match labels[index] == text {
                true => format!("the label `{text}`, whose index is {index} (id:{index})"),
                false => format!(
                    "the index {index}, whose label is `{}` (id:{index})",
                    labels[index]
                ),
            });
            Err(UnknownTarget {
                text: text.to_owned(),
                labels: labels.to_vec(),
                readings: said.collect(),
                ..UnknownTarget::default()
            })
        }
    }
}

/// The first label that names entities of the class `name`.
fn class(name: &str, labels: &[String]) -> Option<usize> {
    let of_class = |label: &String| matches!(tag(label), (Some(_), class) if class == name);
    labels.iter().position(of_class)
}

/// The id of the token that stands for `text`. None if there is no such token.
fn token(model: &Model, text: &str) -> Result<Option<usize>, UnknownTarget> {
    let Some(tokenizer) = model.tokenizer() else {
        return Ok(None);
    };
    match tokenizer.find(text).as_slice() {
        [] => Ok(None),
        [id] => Ok(Some(*id as usize)),
        several => {
            let said = several.iter().map(|&id| {
                let spelled = tokenizer.token(id).unwrap_or_default();
                format!("the token `{spelled}` (id:{id})")
            });
            Err(UnknownTarget {
                text: text.to_owned(),
                readings: said.collect(),
                ..UnknownTarget::default()
            })
        }
    }
}

/// The tokens into which a language model splits a text.
fn pieces(model: &Model, text: &str) -> Vec<String> {
    let positions = model.transformer.config().positions;
    let encoded = model
        .tokenizer()
        .and_then(|tokenizer| tokenizer.encode(text, positions, Truncation::Cut).ok());
    let tokens = encoded.map_or(Vec::new(), |text| text.tokens);
    let pieces = tokens.iter().filter(|token| !token.special);
    pieces
        .map(|token| model.output(token.id as usize))
        .collect()
}
