//! The scalar that is explained.

use std::fmt;

use relprop_checkpoints::{Model, Truncation};
use relprop_transformer::Targets;
use serde::{Deserialize, Serialize};

/// What to explain: a logit, or the difference of two. A language model has one for each token of its
/// vocabulary, and tokens' ids in the place of labels' indices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    /// The logit of the predicted label.
    #[default]
    Predicted,
    /// The logit of a label, by its index.
    Label(usize),
    /// The logit of one label minus the logit of another: why the first label rather than the
    /// second.
    Contrast(usize, usize),
    /// Of a language model, the logits of the tokens that stand in the text, each after a token that the
    /// text [asks](relprop_transformer::TokenizedText::asked): their sum, for a whole answer at once.
    Given,
}

/// There is no such target, or it could be several.
#[derive(Clone, Debug, Default, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.message())]
pub struct UnknownTarget {
    /// What was asked for.
    pub text: String,
    /// The labels that the model has; none if it is a language model.
    pub labels: Vec<String>,
    /// The tokens into which a language model splits the text.
    pub pieces: Vec<String>,
    /// What it could mean, if it is ambiguous, and how to ask for each meaning.
    pub readings: Vec<String>,
}

impl UnknownTarget {
    fn message(&self) -> String {
        match self.readings.as_slice() {
            [] => format!(
                "there is no target `{}`; {}",
                self.text,
                ways(&self.labels, &self.pieces)
            ),
            readings => format!(
                "the target `{}` is ambiguous: it could be {}",
                self.text,
                readings.join(", or ")
            ),
        }
    }
}

/// What could be asked for instead.
fn ways(labels: &[String], pieces: &[String]) -> String {
    match labels {
        [] if pieces.is_empty() => {
            "give `predicted`, or a token of the model's vocabulary, with its space: \" are\""
                .to_owned()
        }
        [] => {
            let pieces: Vec<_> = pieces.iter().map(|piece| format!("{piece:?}")).collect();
            format!(
                "it is not one token of the model's vocabulary, but {}: give the first of them",
                pieces.join(" and ")
            )
        }
        labels => format!(
            "give `predicted`, a label ({}), its index, or two of them as A-B",
            labels.join(", ")
        ),
    }
}

impl Target {
    /// Reads `predicted`, a label, its index, or a contrast `A-B` of two of these.
    ///
    /// ```
    /// use relprop_explain::Target;
    ///
    /// let labels = ["negative".to_string(), "positive".to_string()];
    /// assert_eq!(Target::parse("positive", &labels)?, Target::Label(1));
    /// assert_eq!(Target::parse("1-negative", &labels)?, Target::Contrast(1, 0));
    /// # Ok::<(), relprop_explain::UnknownTarget>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`UnknownTarget`], with the labels that there are, or with all meanings of the text if it
    /// has several.
    pub fn parse(text: &str, labels: &[String]) -> Result<Self, UnknownTarget> {
        if text == "predicted" {
            return Ok(Self::Predicted);
        }
        if let Some(index) = label(text, labels)? {
            return Ok(Self::Label(index));
        }
        // Labels may hold hyphens themselves, so every hyphen could be the minus.
        let mut contrasts: Vec<(Self, String)> = Vec::new();
        for (at, _) in text.match_indices('-') {
            let (first, second) = (&text[..at], &text[at + 1..]);
            if let (Some(a), Some(b)) = (label(first, labels)?, label(second, labels)?) {
                let said = format!("`{first}` against `{second}`");
                contrasts.push((Self::Contrast(a, b), said));
            }
        }
        let unknown = UnknownTarget {
            text: text.to_owned(),
            labels: labels.to_vec(),
            ..UnknownTarget::default()
        };
        match contrasts.as_slice() {
            [] => Err(unknown),
            [(first, _), rest @ ..] if rest.iter().all(|(other, _)| other == first) => Ok(*first),
            _ => Err(UnknownTarget {
                readings: contrasts.into_iter().map(|(_, said)| said).collect(),
                ..unknown
            }),
        }
    }

    /// Reads what to explain of `model`: `predicted`, a label, a token. With `against`, the difference
    /// of the two.
    ///
    /// # Errors
    ///
    /// [`UnknownTarget`], with the labels that there are, or the tokens that make up the text.
    pub fn read(model: &Model, text: &str, against: Option<&str>) -> Result<Self, UnknownTarget> {
        let one = |text: &str| match model.transformer.config().targets() {
            Targets::Vocabulary => token(model, text).map(Self::Label),
            Targets::Labels(labels) => Self::parse(text, labels),
            Targets::Nothing => Err(unknown(model, text, Vec::new())),
        };
        match (text, against) {
            ("predicted", None) => Ok(Self::Predicted),
            (text, None) => one(text),
            (text, Some(other)) => match (one(text)?, one(other)?) {
                (Self::Label(a), Self::Label(b)) => Ok(Self::Contrast(a, b)),
                (Self::Label(_), _) => Err(unknown(model, other, Vec::new())),
                _ => Err(unknown(model, text, Vec::new())),
            },
        }
    }

    /// The target, if a model with `outputs` logits has it; `labels` are the labels of these
    /// logits, if they have any.
    ///
    /// # Errors
    ///
    /// [`UnknownTarget`] if it has no such logit.
    pub fn check(self, outputs: usize, labels: &[String]) -> Result<Self, UnknownTarget> {
        let known = match self {
            Self::Predicted | Self::Given => true,
            Self::Label(index) => index < outputs,
            Self::Contrast(a, b) => a.max(b) < outputs,
        };
        let unknown = || UnknownTarget {
            text: self.to_string(),
            labels: labels.to_vec(),
            ..UnknownTarget::default()
        };
        if known { Ok(self) } else { Err(unknown()) }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Predicted => f.write_str("predicted"),
            Self::Given => f.write_str("given"),
            Self::Label(index) => write!(f, "{index}"),
            Self::Contrast(a, b) => write!(f, "{a}-{b}"),
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
                true => format!("the label `{text}`, whose index is {index}"),
                false => format!("the index {index}, whose label is `{}`", labels[index]),
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

/// The id of the token that stands for `text`, or that `id:N` names.
fn token(model: &Model, text: &str) -> Result<usize, UnknownTarget> {
    let Some(tokenizer) = model.tokenizer() else {
        return Err(unknown(model, text, Vec::new()));
    };
    let config = model.transformer.config();
    let id = text.strip_prefix("id:").and_then(|id| id.parse().ok());
    if let Some(id) = id.filter(|id| *id < config.vocabulary()) {
        return Ok(id);
    }
    match tokenizer.find(text).as_slice() {
        [] => {}
        [id] => return Ok(*id as usize),
        several => {
            let said = several.iter().map(|&id| {
                let spelled = tokenizer.token(id).unwrap_or_default();
                format!("the token `{spelled}` (id:{id})")
            });
            return Err(UnknownTarget {
                readings: said.collect(),
                ..unknown(model, text, Vec::new())
            });
        }
    }
    let encoded = tokenizer.encode(text, config.positions, Truncation::Cut);
    let tokens = encoded.map_or(Vec::new(), |text| text.tokens);
    let pieces = tokens.iter().filter(|token| !token.special);
    let pieces = pieces.map(|token| model.output(token.id as usize));
    Err(unknown(model, text, pieces.collect()))
}

fn unknown(model: &Model, text: &str, pieces: Vec<String>) -> UnknownTarget {
    UnknownTarget {
        text: text.to_owned(),
        labels: model.transformer.config().labels.clone(),
        pieces,
        readings: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels() -> Vec<String> {
        ["no", "yes", "yes-and-no"].map(String::from).to_vec()
    }

    #[test]
    fn targets_are_read_by_name_index_and_contrast() {
        let parse = |text| Target::parse(text, &labels());
        assert_eq!(parse("predicted"), Ok(Target::Predicted));
        assert_eq!(parse("yes"), Ok(Target::Label(1)));
        assert_eq!(parse("2"), Ok(Target::Label(2)));
        assert_eq!(parse("yes-and-no"), Ok(Target::Label(2)));
        assert_eq!(parse("yes-and-no-no"), Ok(Target::Contrast(2, 0)));
        assert_eq!(parse("0-yes-and-no"), Ok(Target::Contrast(0, 2)));
    }

    /// `--target A --against B` says each of them.
    #[test]
    fn what_could_be_several_is_refused_with_every_reading() {
        let hyphens = ["non", "non-toxic", "toxic", "toxic-mild", "mild"].map(String::from);
        let numbers = ["1", "2", "3"].map(String::from);
        let twice = ["same", "same", "0"].map(String::from);
        for (text, labels, readings) in [
            (
                "non-toxic-mild",
                &hyphens[..],
                ["`non` against `toxic-mild`", "`non-toxic` against `mild`"],
            ),
            (
                "1",
                &numbers,
                [
                    "the label `1`, whose index is 0",
                    "the index 1, whose label is `2`",
                ],
            ),
            ("3-1", &numbers, ["whose index is 0", "whose label is `2`"]),
            ("same", &twice, ["whose index is 0", "whose index is 1"]),
            (
                "0",
                &twice,
                [
                    "the index 0, whose label is `same`",
                    "the label `0`, whose index is 2",
                ],
            ),
        ] {
            let message = Target::parse(text, labels).unwrap_err().to_string();
            assert!(message.contains("ambiguous"), "{message}");
            assert!(
                readings.iter().all(|reading| message.contains(reading)),
                "{message}"
            );
        }
        // What has one reading is no matter how it looks.
        assert_eq!(Target::parse("3", &numbers), Ok(Target::Label(2)));
        assert_eq!(Target::parse("0", &numbers), Ok(Target::Label(0)));
        assert_eq!(Target::parse("non-toxic", &hyphens), Ok(Target::Label(1)));
        let ordinary = ["0", "1"].map(String::from);
        assert_eq!(Target::parse("1", &ordinary), Ok(Target::Label(1)));
    }

    #[test]
    fn an_unknown_target_names_the_labels() {
        let message = Target::parse("maybe", &labels()).unwrap_err().to_string();
        assert!(message.contains("`maybe`") && message.contains("no, yes, yes-and-no"));
        assert!(Target::parse("3", &labels()).is_err());
    }

    #[test]
    fn a_label_that_is_not_there_is_refused() {
        assert!(Target::Contrast(2, 0).check(3, &labels()).is_ok());
        let message = Target::Label(3)
            .check(3, &labels())
            .unwrap_err()
            .to_string();
        assert!(message.contains("`3`") && message.contains("no, yes, yes-and-no"));
        assert!(Target::Contrast(0, 9).check(3, &labels()).is_err());
    }
}
