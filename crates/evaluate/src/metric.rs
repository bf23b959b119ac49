//! What a metric is.

use relprop_checkpoints::Model;
use relprop_explain::methods::Question;
use relprop_explain::{Score, Target};
use relprop_transformer::{Head, Probabilities};
use serde::{Deserialize, Serialize};

use super::{Sample, View};

/// How good an explanation of one text is, by one measure.
///
/// A metric says for which changed versions of the text it needs the model's logits, and computes
/// its number from these. So metrics that need the same versions share the model's passes.
pub trait Metric: Send + Sync {
    /// What it is.
    fn about(&self) -> About;

    /// The metric called `name`, if it is this one with another parameter: `precision@12` for
    /// `precision@3`.
    fn variant(&self, _name: &str) -> Option<Box<dyn Metric>> {
        None
    }

    /// The versions of the text whose logits it reads.
    fn views(&self, _case: &Case) -> Vec<View> {
        Vec::new()
    }

    /// The number, from the logits of each view in order. None if the metric has no number for the
    /// text: for example, there is no correlation with words that are all neutral.
    fn read(&self, case: &Case, logits: &[&[f32]]) -> Option<Reading>;
}

/// What a metric is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct About {
    /// Its name: `auac`.
    pub name: String,
    /// What it measures, in half a sentence.
    pub about: String,
    /// Which values are good.
    pub better: Better,
    /// What it needs besides the relevance for the true label.
    #[serde(skip)]
    pub need: Option<Need>,
}

impl About {
    /// A metric that needs nothing but the relevance for the true label.
    pub fn new(name: impl Into<String>, about: impl Into<String>, better: Better) -> Self {
        Self {
            name: name.into(),
            about: about.into(),
            better,
            need: None,
        }
    }

    /// The same for a metric that needs `need`.
    pub fn needing(self, need: Need) -> Self {
        let need = Some(need);
        Self { need, ..self }
    }
}

/// The explanation of one text.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    /// The text.
    pub sample: &'a Sample,
    /// The model.
    pub model: &'a Model,
    /// The relevance of each token for what the sample asks.
    pub relevance: &'a [f32],
    /// The relevance of each token for another label's logit; only for [`Need::OtherLabel`].
    pub other_label: Option<&'a [f32]>,
    /// The relevance of each token in the [randomized](super::cascade) models; only for
    /// [`Need::Randomized`].
    pub randomized: &'a [Vec<f32>],
}

impl Case<'_> {
    /// Whether a version of the text may have something else in the place of this token. A given answer stays, and
    /// so does the mask that is asked for.
    pub fn may_change(&self, place: usize) -> bool {
        let head = self.model.transformer.config().head;
        let is_mask = matches!(head, Head::MaskedToken { .. });
        let asked = is_mask && self.sample.text.asked.contains(&place);
        place < self.sample.prompt() && !asked
    }

    /// The value of what the sample asks, where the head gives `numbers` for a version of the text.
    pub fn value(&self, numbers: &[f32]) -> f64 {
        self.in_unit(self.sample.score, numbers)
    }

    /// The logarithm of the probability of the label or of the answer. None if no probability follows from what
    /// the head gives, or if something else is asked.
    pub fn log_probability(&self, numbers: &[f32]) -> Option<f64> {
        let names_outputs = match self.sample.target {
            Target::Label(_) | Target::Class(_) | Target::Given => true,
            Target::Predicted | Target::Contrast(..) | Target::AboveMean { .. } => false,
        };
        let has = self.model.transformer.config().probabilities() != Probabilities::None;
        let of_outputs = matches!(self.sample.score, Score::Logit | Score::LogProbability);
        let logarithm = || self.in_unit(Score::LogProbability, numbers);
        (names_outputs && has && of_outputs).then(logarithm)
    }

    /// What curves show: the probability of the label or of the answer, which is the product over its tokens; of
    /// what is neither, such as a difference, the value. None of a label if no probability follows from what
    /// the head gives.
    pub fn response(&self, numbers: &[f32]) -> Option<f64> {
        let config = self.model.transformer.config();
        match self.sample.label() {
            Some(label) if numbers.len() == config.logits() => {
                config.probabilities().at(numbers, label)
            }
            _ => match self.log_probability(numbers) {
                Some(logarithm) => Some(logarithm.exp()),
                None => Some(self.value(numbers)),
            },
        }
    }

    fn in_unit(&self, score: Score, numbers: &[f32]) -> f64 {
        let question = Question {
            model: self.model,
            target: self.sample.target,
            score,
            weights: None,
        };
        question.value(&self.sample.text, numbers)
    }
}

/// What a metric found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// The number.
    pub value: f64,
    /// The curve under which the number is the area; empty if there is no curve.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub curve: Vec<f64>,
}

impl From<f64> for Reading {
    fn from(value: f64) -> Self {
        let curve = Vec::new();
        Self { value, curve }
    }
}

/// Which values of a metric are good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Better {
    /// High ones.
    Higher,
    /// Low ones.
    Lower,
    /// Neither: the metric describes explanations and does not judge them.
    Neither,
}

/// What a metric needs besides relevance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// [`Sample::evidence`].
    Evidence,
    /// [`Sample::polarity`].
    Polarity,
    /// Relevance for another label: [`Case::other_label`].
    OtherLabel,
    /// Relevance in randomized models: [`Case::randomized`].
    Randomized,
}
