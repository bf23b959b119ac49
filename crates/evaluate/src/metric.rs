//! What a metric is.

use serde::{Deserialize, Serialize};

use super::{Sample, View};

/// How good an explanation of one text is, by one measure.
///
/// A metric says which changed versions of the text it must see the model's logits for; then it reads
/// its number from them. So metrics that look at the same versions share the model's passes.
pub trait Metric {
    /// What `--metrics` calls it: `auac`.
    fn name(&self) -> String;

    /// What it measures, in half a sentence.
    fn about(&self) -> &'static str;

    /// Which values are good.
    fn better(&self) -> Better;

    /// What it must be told beside the relevance for the true label.
    fn need(&self) -> Option<Need> {
        None
    }

    /// The versions of the text whose logits it reads.
    fn views(&self, _case: &Case) -> Vec<View> {
        Vec::new()
    }

    /// The number, from the logits of each view in order. None if the text has none: there is no
    /// correlation with words that are all neutral, say.
    fn read(&self, case: &Case, logits: &[&[f32]]) -> Option<Reading>;
}

/// The explanation of one text.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    /// The text.
    pub sample: &'a Sample,
    /// The relevance of each token for the true label's logit.
    pub relevance: &'a [f32],
    /// The relevance of each token for another label's logit; only for [`Need::OtherLabel`].
    pub other_label: Option<&'a [f32]>,
    /// The relevance of each token in the [randomised](super::cascade) models; only for
    /// [`Need::Randomised`].
    pub randomised: &'a [Vec<f32>],
}

/// What a metric found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// The number.
    pub value: f64,
    /// The curve that it sums up, if it does.
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
    /// Neither: it describes, and does not judge.
    Neither,
}

/// What a metric must be told beside relevance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// [`Sample::evidence`].
    Evidence,
    /// [`Sample::polarity`].
    Polarity,
    /// Relevance for another label: [`Case::other_label`].
    OtherLabel,
    /// Relevance in randomised models: [`Case::randomised`].
    Randomised,
}
