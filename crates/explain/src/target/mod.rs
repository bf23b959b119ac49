//! The scalar that is explained: which of the outputs, measured how, and at which place of the text.

mod grammar;
mod names;
mod place;
mod unknown;

use std::num::NonZeroUsize;

use relprop_checkpoints::Model;
use relprop_transformer::{AnswersAt, Distillation, Head, Outputs, PatchConfig, Probabilities};
use serde::{Deserialize, Serialize};

use crate::{ExplainError, Score};

pub(crate) use place::unquoted;
pub use place::{Count, Place};
pub use unknown::UnknownTarget;

/// Which of the outputs: a logit, a difference of several, or those of a given answer. A language model has
/// a logit for each token of its vocabulary, and tokens' ids in the place of labels' indices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Target {
    /// The logit of the predicted label; of a model that finds answers, its best answer.
    #[default]
    Predicted,
    /// The logit of a label, by its index.
    Label(usize),
    /// The logit of one label minus the logit of another: why the first label rather than the
    /// second.
    Contrast(usize, usize),
    /// A logit minus the mean of many: why this rather than the usual.
    AboveMean {
        /// Which logit.
        of: Chosen,
        /// How many of the largest logits the mean is over; over all if there is none. The label's own
        /// is among them, if it is large enough.
        top: Option<NonZeroUsize>,
    },
    /// Where tokens have labels, what a label of the form `B-NAME` or `I-NAME` names, by the index of one
    /// of these: `B-NAME` of the first token of a run, `I-NAME` of those that go on.
    Class(usize),
    /// A given answer. Of a language model, the logits of tokens that stand in the text, each after a
    /// token that the text [asks](relprop_transformer::TokenizedText::asked): their sum. Of a model that
    /// finds answers, the start logit at the first token of a place and the end logit at its last.
    Given,
}

/// A single output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chosen {
    /// The largest one.
    Predicted,
    /// That of a label, by its index.
    Label(usize),
    /// Of each token of a [given answer](Target::Given), its own.
    Given,
}

/// The scalar that is explained, as the [grammar](https://github.com/relprop/relprop/blob/main/docs/questions.md#targets)
/// writes it.
///
/// ```
/// use relprop_explain::{Count, Place, Scalar, Score, Target};
///
/// let scalar: Scalar = "log-probability(id:3-id:1)@word(2)".parse()?;
/// assert_eq!(scalar.of, Target::Contrast(3, 1));
/// assert_eq!(scalar.score, Score::LogProbability);
/// assert_eq!(scalar.place, Some(Place::Words(Count::Range(2..3))));
/// assert_eq!(scalar.to_string(), "log-probability(id:3-id:1)@word(2)");
/// # Ok::<(), relprop_explain::UnknownTarget>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Scalar {
    /// Which of the outputs.
    pub of: Target,
    /// How they are measured.
    pub score: Score,
    /// At which tokens of the text; if there is none, where the head answers.
    pub place: Option<Place>,
}

impl From<Target> for Scalar {
    fn from(of: Target) -> Self {
        Self {
            of,
            ..Self::default()
        }
    }
}

impl TryFrom<String> for Scalar {
    type Error = UnknownTarget;

    fn try_from(text: String) -> Result<Self, UnknownTarget> {
        text.parse()
    }
}

impl From<Scalar> for String {
    fn from(scalar: Scalar) -> Self {
        scalar.to_string()
    }
}

impl Scalar {
    /// Refuses what `model` does not have.
    pub(crate) fn check(&self, model: &Model) -> Result<(), ExplainError> {
        let config = model.transformer.config();
        self.of.check(config.logits(), &config.labels)?;
        let (head, outputs) = (config.head, config.head.outputs());
        let places = match head.answers_at() {
            AnswersAt::Last | AnswersAt::Each => !matches!(head, Head::LabelsAtEnd { .. }),
            AnswersAt::First
            | AnswersAt::Mean
            | AnswersAt::Attended
            | AnswersAt::Patches
            | AnswersAt::FirstAndPatches => false,
        };
        if self.place.is_some() && !places {
            return Err(ExplainError::Position);
        }
        let finds_answers = outputs == Outputs::StartAndEnd;
        let of_entities = matches!(self.place, Some(Place::Entities(_)));
        let refuse = |reason: &'static str| {
            let scalar = self.to_string();
            Err(ExplainError::Unfit { scalar, reason })
        };
        if of_entities && outputs != Outputs::TokenLabels {
            return refuse("only a model that labels tokens finds entities");
        }
        match self.of {
            _ if self.of.is_given()
                && !finds_answers
                && !matches!(head, Head::NextToken { .. }) =>
            {
                return Err(ExplainError::NoContinuation);
            }
            Target::Given if finds_answers && self.place.is_none() => {
                return refuse(
                    "the answer has no place in the text; give one, such as @\"a word\"",
                );
            }
            Target::Predicted if finds_answers && self.place.is_some() => {
                let sums = matches!(self.score, Score::Logit | Score::LogProbability);
                if sums {
                    return refuse("an answer at a place is answer()@PLACE");
                }
            }
            Target::Predicted | Target::Given => {}
            _ if finds_answers => {
                return refuse("the model finds answers, and has no labels");
            }
            Target::Class(_) if outputs != Outputs::TokenLabels => {
                return refuse("only a model that labels tokens has classes of entities");
            }
            Target::Label(_)
            | Target::Contrast(..)
            | Target::AboveMean { .. }
            | Target::Class(_) => {}
        }
        let of_all = matches!(self.score, Score::Entropy | Score::Norm);
        if of_all && self.of != Target::Predicted {
            return refuse("an entropy and a norm are of all outputs together");
        }
        let averages = |patches: &PatchConfig| patches.distillation == Distillation::Averaged;
        if self.score == Score::Norm && config.patches().is_some_and(averages) {
            return refuse("the model has two heads, which read a state each");
        }
        let without = config.probabilities() == Probabilities::None;
        if without && matches!(self.score, Score::LogProbability | Score::Entropy) {
            return Err(ExplainError::NoProbability);
        }
        Ok(())
    }
}

impl Target {
    /// Whether it is made of the tokens of a given answer.
    pub fn is_given(self) -> bool {
        matches!(
            self,
            Self::Given
                | Self::AboveMean {
                    of: Chosen::Given,
                    ..
                }
        )
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
            Self::Label(index) | Self::Class(index) => index < outputs,
            Self::Contrast(a, b) => a.max(b) < outputs,
            Self::AboveMean { of, top } => {
                let known = match of {
                    Chosen::Label(index) => index < outputs,
                    Chosen::Predicted | Chosen::Given => true,
                };
                known && top.is_none_or(|count| count.get() <= outputs)
            }
        };
        let unknown = || UnknownTarget {
            text: self.to_string(),
            labels: labels.to_vec(),
            ..UnknownTarget::default()
        };
        if known { Ok(self) } else { Err(unknown()) }
    }
}

#[cfg(test)]
mod tests;
