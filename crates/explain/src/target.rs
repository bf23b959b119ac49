//! The scalar that is explained.

use std::fmt;

/// What to explain: a logit, or the difference of two. A language model has one for each token of its
/// vocabulary, and tokens' ids in the place of labels' indices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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
#[error("there is no target `{text}`; {}", ways(labels))]
pub struct UnknownTarget {
    /// What was asked for.
    pub text: String,
    /// The labels that the model has; none if it is a language model.
    pub labels: Vec<String>,
}

/// What could be asked for instead.
fn ways(labels: &[String]) -> String {
    match labels {
        [] => "give `predicted`, or a token of the model's vocabulary".to_owned(),
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
            })
    }

    /// The target, if a model of so many logits has it; their labels, if they are labels.
    pub(crate) fn check(self, outputs: usize, labels: &[String]) -> Result<Self, UnknownTarget> {
        let known = match self {
            Self::Predicted => true,
            Self::Label(index) => index < outputs,
            Self::Contrast(a, b) => a.max(b) < outputs,
        };
        let unknown = || UnknownTarget {
            text: self.to_string(),
            labels: labels.to_vec(),
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

/// The index of the largest number; the first of them where several are largest.
pub(crate) fn argmax(numbers: &[f32]) -> usize {
    (0..numbers.len())
        .rev()
        .max_by(|a, b| numbers[*a].total_cmp(&numbers[*b]))
        .unwrap_or(0)
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
