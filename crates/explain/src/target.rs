//! The scalar that is explained.

use std::fmt;

use relprop_checkpoints::{Model, Truncation};
use relprop_transformer::Targets;
use relprop_transformer::log_sum_exp;
use serde::{Deserialize, Serialize};

use crate::numbers::argmax;

/// In which unit a target is measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Score {
    /// Its logit.
    #[default]
    Logit,
    /// The logarithm of its probability: why this, rather than anything else. A difference of two is
    /// the difference of their logits.
    LogProbability,
}

impl Score {
    /// The value of a target with these weights, and how much of each logit flows into it:
    ///
    /// ```text
    /// log p_t = z_t - log sum_j exp(z_j) = (z_t - sum_j p_j z_j) - H(p)
    /// ```
    ///
    /// The gradient at the logits is 1 for t minus p, and the entropy H(p) is absorbed on the way.
    pub(crate) fn of(self, weights: Vec<f32>, logits: &[f32]) -> Scored {
        let sum: f64 = weights.iter().copied().map(f64::from).sum();
        let value = |weights: &[f32]| -> f64 {
            let terms = weights.iter().zip(logits);
            terms.map(|(w, z)| f64::from(*w) * f64::from(*z)).sum()
        };
        if self == Self::Logit || sum == 0.0 {
            return Scored {
                value: value(&weights),
                entropy: 0.0,
                weights,
            };
        }
        let logarithm = log_sum_exp(logits);
        let probabilities = logits.iter().map(|z| (f64::from(*z) - logarithm).exp());
        let plogp = |p: f64| if p > 0.0 { p * p.ln() } else { 0.0 };
        let entropy = -sum * probabilities.clone().map(plogp).sum::<f64>();
        let through = weights.iter().zip(probabilities);
        Scored {
            value: value(&weights) - sum * logarithm,
            weights: through.map(|(w, p)| w - (sum * p) as f32).collect(),
            entropy,
        }
    }
}

/// A target on the logits of one text.
pub(crate) struct Scored {
    pub(crate) value: f64,
    /// How much of each logit flows into it.
    pub(crate) weights: Vec<f32>,
    /// What it absorbs itself, with the sign turned.
    pub(crate) entropy: f64,
}

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
    /// The logit of one label minus that of another: why this rather than that.
    Contrast(usize, usize),
}

/// There is no such target.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no target `{text}`; {}", ways(labels, pieces))]
pub struct UnknownTarget {
    /// What was asked for.
    pub text: String,
    /// The labels that the model has; none if it is a language model.
    pub labels: Vec<String>,
    /// The tokens that a language model would read in its place.
    pub pieces: Vec<String>,
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
    /// [`UnknownTarget`], with the labels that there are.
    pub fn parse(text: &str, labels: &[String]) -> Result<Self, UnknownTarget> {
        let label = |name: &str| {
            let by_name = labels.iter().position(|label| label == name);
            by_name.or_else(|| name.parse().ok().filter(|index| *index < labels.len()))
        };
        if text == "predicted" {
            return Ok(Self::Predicted);
        }
        if let Some(index) = label(text) {
            return Ok(Self::Label(index));
        }
        // Labels may hold hyphens themselves, so every hyphen could be the minus.
        text.match_indices('-')
            .find_map(|(at, _)| Some(Self::Contrast(label(&text[..at])?, label(&text[at + 1..])?)))
            .ok_or_else(|| UnknownTarget {
                text: text.to_owned(),
                labels: labels.to_vec(),
                pieces: Vec::new(),
            })
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

    /// The target, if a model of so many logits has it; `labels` are theirs, if they are labels.
    ///
    /// # Errors
    ///
    /// [`UnknownTarget`] if it has no such logit.
    pub fn check(self, outputs: usize, labels: &[String]) -> Result<Self, UnknownTarget> {
        let known = match self {
            Self::Predicted => true,
            Self::Label(index) => index < outputs,
            Self::Contrast(a, b) => a.max(b) < outputs,
        };
        let unknown = || UnknownTarget {
            text: self.to_string(),
            labels: labels.to_vec(),
            pieces: Vec::new(),
        };
        if known { Ok(self) } else { Err(unknown()) }
    }

    /// How much of each logit the target takes, when `logits` are the model's.
    pub(crate) fn weights(self, logits: &[f32]) -> Vec<f32> {
        let mut weights = vec![0.0; logits.len()];
        match self {
            Self::Predicted => weights[argmax(logits)] = 1.0,
            Self::Label(index) => weights[index] = 1.0,
            Self::Contrast(a, b) => {
                weights[a] += 1.0;
                weights[b] -= 1.0;
            }
        }
        weights
    }

    /// The label whose logit it is, when `logits` are the model's; none if it is a difference of two.
    pub(crate) fn label(self, logits: &[f32]) -> Option<usize> {
        match self {
            Self::Predicted => Some(argmax(logits)),
            Self::Label(index) => Some(index),
            Self::Contrast(..) => None,
        }
    }

    /// What it is called, when `logits` are the model's.
    pub(crate) fn name(self, logits: &[f32], name: impl Fn(usize) -> String) -> String {
        match self {
            Self::Predicted => name(argmax(logits)),
            Self::Label(index) => name(index),
            Self::Contrast(a, b) => format!("{}-{}", name(a), name(b)),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Predicted => f.write_str("predicted"),
            Self::Label(index) => write!(f, "{index}"),
            Self::Contrast(a, b) => write!(f, "{a}-{b}"),
        }
    }
}

/// The id of the token that stands for `text`.
fn token(model: &Model, text: &str) -> Result<usize, UnknownTarget> {
    let Some(tokenizer) = model.tokenizer() else {
        return Err(unknown(model, text, Vec::new()));
    };
    if let Some(id) = tokenizer.find(text) {
        return Ok(id as usize);
    }
    let config = model.transformer.config();
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

    #[test]
    fn weights_select_and_subtract() {
        let logits = [0.5, 2.0, 2.0];
        assert_eq!(Target::Predicted.weights(&logits), [0.0, 1.0, 0.0]);
        assert_eq!(Target::Contrast(2, 0).weights(&logits), [-1.0, 0.0, 1.0]);
        assert_eq!(Target::Contrast(1, 1).weights(&logits), [0.0, 0.0, 0.0]);
    }
}
