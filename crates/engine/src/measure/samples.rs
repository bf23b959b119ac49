//! The texts that are measured.

use std::ops::Range;
use std::path::Path;

use relprop_checkpoints::{Model, Truncation};
use relprop_data::{corpus, corpus::Tree, sha256};
use relprop_evaluate::{Polarity, Sample, predictions};
use relprop_explain::Target;
use relprop_transformer::{Outputs, TokenizedText};
use serde::{Deserialize, Serialize};

use super::MeasureError;
use crate::EngineError;

/// The name of the embedded corpus, unless a file has this name.
const EMBEDDED: &str = "reviews";
/// How many reviews the embedded corpus has unless another number is asked for: eight tenths to train on, a
/// tenth held out, a tenth to test.
pub const REVIEWS: u32 = 8000;

/// The label that is explained when an explanation is measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MeasuredLabel {
    /// The true label.
    #[default]
    True,
    /// The label that the model predicts.
    Predicted,
}

/// Texts to measure with, and where they come from.
#[derive(Clone, Debug)]
pub struct Samples {
    /// The texts.
    pub samples: Vec<Sample>,
    /// The SHA-256 of the file, in hexadecimal; none for the embedded corpus and for texts at hand.
    pub sha256: Option<String>,
}

/// A text as it was found.
#[derive(Clone, Debug)]
pub struct LabeledText {
    /// What errors call it.
    pub place: String,
    /// The text.
    pub text: String,
    /// Its label.
    pub label: WrittenLabel,
    /// The words that decide the label, as ranges of characters, if they are known.
    pub evidence: Vec<Range<usize>>,
    /// The judgement of people about its words: positive or negative.
    pub sentiment: Vec<Polarity>,
}

/// The label of a text as it was found.
#[derive(Clone, Debug)]
pub enum WrittenLabel {
    /// It has none.
    None,
    /// The name of a label, or its index.
    Written(String),
    /// The last label that the model has, or the first.
    Positive(bool),
}

impl Samples {
    /// The texts of a file, or of the embedded corpus if `path` is `reviews`, with their labels: the true ones,
    /// or those that the model predicts. The column `evidence` of the file, if one is named, says which pieces of
    /// a text decide its label. `say` gets a message about each text that cannot be used.
    ///
    /// # Errors
    ///
    /// [`MeasureError`] if the model has no labels for texts, or texts have none of the model; and if the file
    /// cannot be read, or the device fails.
    pub fn open(
        path: &Path,
        evidence: Option<&str>,
        limit: Option<usize>,
        seed: u64,
        target: MeasuredLabel,
        model: &Model,
        mut say: impl FnMut(&str),
    ) -> Result<Self, EngineError> {
        classifies(model)?;
        let is_embedded = path == Path::new(EMBEDDED) && !path.exists();
        if evidence.is_some() && (is_embedded || corpus::are_trees(path)?) {
            return Err(MeasureError::NoColumns(path.display().to_string()).into());
        }
        let (texts, sha256) = match is_embedded {
            true => (embedded(seed), None),
            false => (of_file(path, evidence, &mut say)?, Some(sha256(path)?)),
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
        target: MeasuredLabel,
        model: &Model,
        name: &str,
        mut say: impl FnMut(&str),
    ) -> Result<Self, EngineError> {
        classifies(model)?;
        let config = model.transformer.config();
        let mut samples = Vec::new();
        let written = Written::of(&texts, &config.labels);
        for found in texts.into_iter().take(limit.unwrap_or(usize::MAX)) {
            let label = match target {
                MeasuredLabel::True => label(&found, written, &config.labels)?,
                MeasuredLabel::Predicted => 0, // known only after the model has read the text
            };
            match model.tokenize(&found.text, None, Truncation::Cut) {
                Ok(text) => samples.push(Sample {
                    evidence: found.evidence,
                    polarity: found.sentiment,
                    ..Sample::new(text, label)
                }),
                Err(error) => say(&format!("{}: {error}; skipped", found.place)),
            }
        }
        if samples.is_empty() {
            return Err(MeasureError::Nothing(name.to_owned()).into());
        }
        if target == MeasuredLabel::Predicted {
            let texts: Vec<&TokenizedText> = samples.iter().map(|sample| &sample.text).collect();
            let labels = predictions(model, &texts)?;
            let pairs = samples.iter_mut().zip(labels);
            pairs.for_each(|(sample, label)| sample.label = label);
        }
        // People judged what speaks for the last label. It speaks against any other.
        let last = config.labels.len() - 1;
        for sample in samples.iter_mut().filter(|sample| sample.label != last) {
            let words = sample.polarity.iter_mut();
            words.for_each(|word| word.value = -word.value);
        }
        Ok(Self {
            samples,
            sha256: None,
        })
    }
}

/// Refuses a model that has no label for a whole text.
fn classifies(model: &Model) -> Result<(), MeasureError> {
    match model.transformer.config().head.outputs() {
        Outputs::Labels => Ok(()),
        Outputs::Vocabulary => Err(MeasureError::ContinuesTexts),
        Outputs::TokenLabels | Outputs::StartAndEnd | Outputs::Vector => {
            Err(MeasureError::NoTextLabel)
        }
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

/// The reviews that the demo's model has never seen.
fn embedded(seed: u64) -> Vec<LabeledText> {
    let reviews = corpus::reviews(REVIEWS as usize, seed).test;
    let found = reviews
        .into_iter()
        .enumerate()
        .map(|(index, review)| LabeledText {
            place: format!("review {}", index + 1),
            text: review.text,
            label: WrittenLabel::Positive(review.label == 1),
            evidence: review.evidence,
            sentiment: Vec::new(),
        });
    found.collect()
}

fn of_file(
    path: &Path,
    evidence: Option<&str>,
    say: &mut impl FnMut(&str),
) -> Result<Vec<LabeledText>, EngineError> {
    let name = path.display();
    if corpus::are_trees(path)? {
        let trees = corpus::read_trees(path)?;
        // A neutral sentence has no label that could be explained, as in SST-2.
        let decided = trees.into_iter().filter(|tree| tree.label != Tree::NEUTRAL);
        return Ok(decided
            .map(|tree| of_tree(tree, &name.to_string()))
            .collect());
    }
    let inputs = match evidence {
        None => corpus::read_texts(path)?,
        Some(column) => corpus::read_texts_with_evidence(path, column)?,
    };
    for error in &inputs.skipped {
        say(&format!("{error}; skipped"));
    }
    let found = inputs.texts.into_iter().map(|input| LabeledText {
        place: format!("{name}, line {}", input.line),
        text: input.text,
        label: input
            .label
            .map_or(WrittenLabel::None, WrittenLabel::Written),
        evidence: input.evidence,
        sentiment: Vec::new(),
    });
    Ok(found.collect())
}

fn of_tree(tree: Tree, name: &str) -> LabeledText {
    let judged = tree.words.into_iter().map(|(place, label)| Polarity {
        place,
        value: f64::from(label) - f64::from(Tree::NEUTRAL),
    });
    LabeledText {
        place: format!("{name}, line {}", tree.line),
        text: tree.text,
        label: WrittenLabel::Positive(tree.label > Tree::NEUTRAL),
        evidence: Vec::new(),
        sentiment: judged.collect(),
    }
}
