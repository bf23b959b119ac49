//! The texts that are measured.

use std::path::Path;
use std::sync::Arc;

use relprop_checkpoints::{Input, Model};
use relprop_data::corpus::{Pictures, TextColumns};
use relprop_data::{corpus, sha256};
use relprop_evaluate::{Sample, predictions};
use relprop_explain::Target;
use relprop_transformer::TokenizedText;
use serde::{Deserialize, Serialize};

use super::MeasureError;
use super::asker::{asker, in_second};
use super::found::{LabeledText, WrittenLabel, embedded, of_file};
use super::pictures::shares;
use crate::EngineError;

/// What is explained when an explanation is measured. It is written as a word, or as a
/// [target](relprop_explain::Scalar).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Measured {
    /// The logit of the true label; of a text with an answer, the answer.
    #[default]
    True,
    /// The logit of the label that the model predicts, or of the token.
    Predicted,
    /// This target, with the model's names.
    Target(String),
}

impl From<String> for Measured {
    fn from(written: String) -> Self {
        match written.as_str() {
            "true" => Self::True,
            "predicted" => Self::Predicted,
            _ => Self::Target(written),
        }
    }
}

impl From<Measured> for String {
    fn from(measured: Measured) -> Self {
        match measured {
            Measured::True => "true".to_owned(),
            Measured::Predicted => "predicted".to_owned(),
            Measured::Target(written) => written,
        }
    }
}

/// Texts to measure with, and where they come from.
#[derive(Clone, Debug)]
pub struct Samples {
    /// The texts.
    pub samples: Vec<Sample>,
    /// The SHA-256 of the file, in hexadecimal; none for the embedded corpus and for texts at hand.
    pub sha256: Option<String>,
}

impl Samples {
    /// The texts of a file, or of an embedded corpus if `path` is `reviews` or `needles`, each with what is asked of it. `more`
    /// names columns of the file. `say` gets a message about each text that cannot be used.
    ///
    /// # Errors
    ///
    /// [`MeasureError`] if the model, or a text, does not have what is asked; and if the file cannot be read, or the
    /// device fails.
    pub fn open(
        path: &Path,
        more: TextColumns,
        limit: Option<usize>,
        seed: u64,
        target: &Measured,
        model: &Arc<Model>,
        mut say: impl FnMut(&str),
    ) -> Result<Self, EngineError> {
        asker(target, model)?;
        if Pictures::are_at(path) {
            return Self::of_pictures(path, more, limit, target, model, say);
        }
        if matches!(model.input, Input::Pictures(_)) {
            return Self::of_named_pictures(path, more, limit, target, model, say);
        }
        let embedded = embedded(path, seed);
        if !more.is_empty() && (embedded.is_some() || corpus::are_trees(path)?) {
            return Err(MeasureError::NoColumns(path.display().to_string()).into());
        }
        let (texts, sha256) = match embedded {
            Some(texts) => (texts, None),
            None => (of_file(path, more, &mut say)?, Some(sha256(path)?)),
        };
        let name = path.display().to_string();
        let samples = Self::of(texts, limit, target, model, &name, say)?;
        Ok(Self { sha256, ..samples })
    }

    /// The same for texts at hand. `name` is what errors call them.
    ///
    /// # Errors
    ///
    /// As [`Samples::open`].
    pub fn of(
        texts: Vec<LabeledText>,
        limit: Option<usize>,
        target: &Measured,
        model: &Arc<Model>,
        name: &str,
        mut say: impl FnMut(&str),
    ) -> Result<Self, EngineError> {
        let asker = asker(target, model)?;
        let config = model.transformer.config();
        let mut samples = Vec::new();
        let finds_answers = asker.answers && !asker.writes && asker.target.place.is_none();
        if finds_answers && texts.iter().all(|found| found.answer.is_none()) {
            return Err(MeasureError::NoTextLabel.into());
        }
        let written = Written::of(&texts, &config.labels);
        for found in texts.into_iter().take(limit.unwrap_or(usize::MAX)) {
            let asked = match target {
                Measured::True if !(asker.writes || asker.answers) => {
                    Target::Label(label(&found, written, &config.labels)?)
                }
                // What is predicted is known only after the model has read the text.
                _ => asker.target.of,
            };
            match asker.tokenize(&found) {
                Ok((text, answer)) => samples.push(Sample {
                    answer,
                    patches: found
                        .region
                        .map_or_else(Vec::new, |region| shares(&text, &region)),
                    evidence: match found.pair {
                        Some(_) => in_second(&text, found.evidence),
                        None => found.evidence,
                    },
                    polarity: found.sentiment,
                    ..Sample::asking(text, asked, asker.target.score)
                }),
                Err(error) => say(&format!("{}: {error}; skipped", found.place)),
            }
        }
        if samples.is_empty() {
            return Err(MeasureError::Nothing(name.to_owned()).into());
        }
        if asker.target.of == Target::Predicted && *target == Measured::Predicted {
            let texts: Vec<&TokenizedText> = samples.iter().map(|sample| &sample.text).collect();
            let labels = predictions(model, &texts)?;
            let pairs = samples.iter_mut().zip(labels);
            pairs.for_each(|(sample, label)| sample.target = Target::Label(label));
        }
        // People judged what speaks for the last label. It speaks against any other.
        let last = config.labels.len().saturating_sub(1);
        for sample in samples
            .iter_mut()
            .filter(|sample| sample.label() != Some(last))
        {
            let words = sample.polarity.iter_mut();
            words.for_each(|word| word.value = -word.value);
        }
        Ok(Self {
            samples,
            sha256: None,
        })
    }
}

/// How the labels of a file are written. All rows are read in the same way, because the names of a
/// model's labels may be numbers that are not their indices.
#[derive(Clone, Copy)]
enum Written {
    Names,
    Indices,
    /// Some rows name a label, others give its index; each must have only one meaning.
    Either,
}

impl Written {
    /// Names if every row names one label of the model, else indices if every row is an index, else
    /// either.
    fn of(found: &[LabeledText], labels: &[String]) -> Self {
        let mut written = found.iter().filter_map(|found| match &found.label {
            WrittenLabel::Written(label) => Some(label),
            WrittenLabel::None | WrittenLabel::Positive(_) => None,
        });
        let named = |text: &String| labels.iter().filter(|label| *label == text).count() == 1;
        if written.clone().all(named) {
            return Self::Names;
        }
        match written.all(|text| Self::Indices.index(text, labels).is_some()) {
            true => Self::Indices,
            false => Self::Either,
        }
    }

    fn index(self, text: &str, labels: &[String]) -> Option<usize> {
        match self {
            Self::Names => labels.iter().position(|label| label == text),
            Self::Indices => text.parse().ok().filter(|index| *index < labels.len()),
            Self::Either => match Target::parse(text, labels) {
                Ok(Target::Label(index)) => Some(index),
                _ => None,
            },
        }
    }
}

/// The index of a text's label among the model's.
fn label(found: &LabeledText, written: Written, labels: &[String]) -> Result<usize, MeasureError> {
    let place = || found.place.clone();
    match &found.label {
        WrittenLabel::Positive(positive) if labels.len() == 2 => Ok(usize::from(*positive)),
        WrittenLabel::Positive(_) => Err(MeasureError::PositiveOrNegative {
            place: place(),
            known: labels.to_vec(),
        }),
        WrittenLabel::None => Err(MeasureError::Unlabeled { place: place() }),
        WrittenLabel::Written(label) => {
            let index = written.index(label, labels);
            index.ok_or_else(|| MeasureError::UnknownLabel {
                place: place(),
                label: label.clone(),
                known: labels.to_vec(),
            })
        }
    }
}
