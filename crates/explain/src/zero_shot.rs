//! Labels that a model was never trained on: each is put into a sentence, and a model of entailment says whether
//! the sentence follows from the text (Yin et al. 2019).

use relprop_transformer::{Outputs, probability};
use serde::{Deserialize, Serialize};

use crate::batching::Passes;
use crate::{ExplainError, Explainer, Explanation, TargetValue};

/// The name and version of the JSON format that a [`ZeroShot`] is written in.
pub const ZERO_SHOT: &str = "relprop.zero-shot/1";

/// Where the label stands in a template.
const HERE: &str = "{}";

/// Labels to choose from, and the sentence that each makes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Hypotheses {
    /// The labels.
    pub labels: Vec<String>,
    /// The sentence, with `{}` where the label stands.
    pub template: String,
    /// Whether several labels can be true at once.
    pub several: bool,
}

/// A text, and how well each label fits it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ZeroShot {
    /// Always [`ZERO_SHOT`].
    pub schema: String,
    /// The text.
    pub text: String,
    /// The sentence, with `{}` where the label stands.
    pub template: String,
    /// Whether several labels can be true at once.
    pub several: bool,
    /// The labels, the likeliest first.
    pub candidates: Vec<Candidate>,
}

/// One label, with why it fits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// The label.
    pub label: String,
    /// The sentence that it makes.
    pub hypothesis: String,
    /// How likely it is among the labels; where several can be true at once, how likely it is by itself. In
    /// `[0, 1]`.
    pub probability: f64,
    /// Why the sentence follows from the text.
    pub explanation: Explanation,
}

impl Hypotheses {
    /// The template where none is given, as `transformers` has it.
    pub const TEMPLATE: &str = "This example is {}.";

    /// The sentence of a label.
    pub fn hypothesis(&self, label: &str) -> String {
        self.template.replace(HERE, label)
    }

    /// Checks that there is a label, and a place for it.
    ///
    /// # Errors
    ///
    /// [`ExplainError::NoLabels`], [`ExplainError::Template`].
    pub fn check(&self) -> Result<(), ExplainError> {
        if self.labels.iter().all(|label| label.trim().is_empty()) {
            return Err(ExplainError::NoLabels);
        }
        match self.template.contains(HERE) {
            true => Ok(()),
            false => Err(ExplainError::Template(self.template.clone())),
        }
    }

    /// The label of a model with these labels that says that one sentence follows from another: the first whose
    /// name begins with `entail`, as `transformers` looks for it.
    pub fn entailment(labels: &[String]) -> Option<usize> {
        let entails = |label: &String| label.to_lowercase().starts_with("entail");
        labels.iter().position(entails)
    }

    /// The probability of each label, from the logits of its sentence. As in `transformers`, the label of the
    /// contradiction is the first that the model has, or the last if entailment is the first.
    ///
    /// ```text
    /// p(k) = exp(e_k) / sum_j exp(e_j),    or, if several can be true, exp(e_k) / (exp(e_k) + exp(c_k))
    /// ```
    fn probabilities(&self, logits: &[&[f32]], entailment: usize) -> Vec<f64> {
        let entails: Vec<f32> = logits.iter().map(|logits| logits[entailment]).collect();
        if !self.several && logits.len() > 1 {
            return (0..logits.len())
                .map(|k| probability(&entails, k))
                .collect();
        }
        let alone = |logits: &&[f32]| {
            let against = match entailment {
                0 => logits.last(),
                _ => logits.first(),
            };
            let against = against.copied().filter(|_| logits.len() > 1);
            // One output has nothing against it but zero.
            probability(&[logits[entailment], against.unwrap_or(0.0)], 0)
        };
        logits.iter().map(alone).collect()
    }
}

impl Explainer {
    /// Asks for each label whether its sentence follows from the text, and why. The explainer's target is the
    /// model's label of [entailment](Hypotheses::entailment).
    ///
    /// # Errors
    ///
    /// As [`Hypotheses::check`]; [`ExplainError::NoEntailment`] if the target is not one label; and as
    /// [`Explainer::tokenize_pair`] and [`Explainer::explain_in`].
    pub fn zero_shot(
        &self,
        passes: &mut Passes,
        text: &str,
        hypotheses: &Hypotheses,
        warn: impl Fn(&str),
    ) -> Result<ZeroShot, ExplainError> {
        hypotheses.check()?;
        let config = self.model.transformer.config();
        let entailment = match self.plan.target.of {
            crate::Target::Label(index) if config.head.outputs() == Outputs::Labels => index,
            _ => {
                return Err(ExplainError::NoEntailment {
                    labels: config.labels.clone(),
                });
            }
        };
        let labels: Vec<&String> = hypotheses.labels.iter().collect();
        let sentences = labels.iter().map(|label| hypotheses.hypothesis(label));
        let sentences: Vec<String> = sentences.collect();
        let pairs = sentences
            .iter()
            .map(|hypothesis| self.tokenize_pair(text, hypothesis));
        let pairs: Vec<_> = pairs.collect::<Result<_, _>>()?;
        let found = self.explain_in(passes, &pairs.iter().collect::<Vec<_>>(), warn)?;
        let logits: Vec<&[f32]> = found.iter().map(|found| &found.logits[..]).collect();
        let probabilities = hypotheses.probabilities(&logits, entailment);
        let candidates = labels
            .into_iter()
            .zip(sentences)
            .zip(probabilities)
            .zip(found);
        let candidates =
            candidates.map(
                |(((label, hypothesis), probability), explanation)| Candidate {
                    label: label.clone(),
                    hypothesis,
                    probability,
                    explanation,
                },
            );
        let mut candidates: Vec<Candidate> = candidates.collect();
        candidates.sort_by(|a, b| b.probability.total_cmp(&a.probability));
        Ok(ZeroShot {
            schema: ZERO_SHOT.to_owned(),
            text: text.to_owned(),
            template: hypotheses.template.clone(),
            several: hypotheses.several,
            candidates,
        })
    }
}

impl ZeroShot {
    /// The explanation of each label, its name before that of the target, to be shown as one.
    pub fn explanations(&self) -> impl Iterator<Item = Explanation> {
        self.candidates.iter().map(|candidate| {
            let explanation = candidate.explanation.clone();
            let target = TargetValue {
                label: format!("{} ({})", explanation.target.label, candidate.label),
                ..explanation.target
            };
            Explanation {
                target,
                ..explanation
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hypotheses(several: bool) -> Hypotheses {
        Hypotheses {
            labels: vec!["sport".to_owned(), "politics".to_owned()],
            template: "It is about {}.".to_owned(),
            several,
        }
    }

    fn close(found: &[f64], expected: [f64; 2]) {
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-6, "{found} {expected}");
        }
    }

    #[test]
    fn labels_share_a_probability_or_have_one_each() {
        let logits: [&[f32]; 2] = [&[-1.0, 0.5, 2.0], &[1.5, 0.0, 1.0]];
        let share = |a: f64, b: f64| a.exp() / (a.exp() + b.exp());
        let found = hypotheses(false).probabilities(&logits, 2);
        close(&found, [share(2.0, 1.0), share(1.0, 2.0)]);
        let found = hypotheses(true).probabilities(&logits, 2);
        close(&found, [share(2.0, -1.0), share(1.0, 1.5)]);
        // Where entailment comes first, contradiction is the last.
        let found = hypotheses(true).probabilities(&logits, 0);
        close(&found, [share(-1.0, 2.0), share(1.5, 1.0)]);
        // A label alone is as likely as it is by itself.
        let found = hypotheses(false).probabilities(&logits[..1], 2);
        assert!((found[0] - share(2.0, -1.0)).abs() < 1e-6);
    }

    #[test]
    fn entailment_is_found_by_its_name() {
        let labels = |names: &[&str]| {
            names
                .iter()
                .map(|name| (*name).to_owned())
                .collect::<Vec<_>>()
        };
        let names = ["contradiction", "ENTAILMENT", "entailed"];
        assert_eq!(Hypotheses::entailment(&labels(&names)), Some(1));
        assert_eq!(
            Hypotheses::entailment(&labels(&["not_entailment", "yes"])),
            None
        );
    }

    #[test]
    fn a_template_without_a_place_is_refused() {
        let mut wrong = hypotheses(false);
        wrong.template = "It is about sport.".to_owned();
        assert!(wrong.check().unwrap_err().to_string().contains("{}"));
        wrong.labels = vec![" ".to_owned()];
        assert!(matches!(wrong.check(), Err(ExplainError::NoLabels)));
        assert_eq!(hypotheses(false).hypothesis("{}"), "It is about {}.");
    }
}
