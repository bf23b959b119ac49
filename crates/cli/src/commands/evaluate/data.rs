//! The texts that are measured.

use std::path::Path;

use anyhow::bail;
use relprop_checkpoints::{Model, Truncation};
use relprop_data::{corpus, corpus::Tree, sha256};
use relprop_evaluate::{Polarity, Sample, predictions};
use relprop_explain::Target;
use relprop_transformer::{Outputs, TokenizedText};

use crate::args::{EvaluationTarget, REVIEWS};
use crate::say::say;

/// The name of the embedded corpus, unless a file has this name.
const EMBEDDED: &str = "reviews";

/// Texts, and where they come from.
pub(crate) struct Data {
    pub(crate) samples: Vec<Sample>,
    /// The SHA-256 of the file, in hexadecimal; none for the embedded corpus.
    pub(crate) sha256: Option<String>,
}

/// A text as it was found.
struct Found {
    place: String,
    text: String,
    label: FoundLabel,
    evidence: Vec<std::ops::Range<usize>>,
    /// The judgement of people about its words: positive or negative.
    sentiment: Vec<Polarity>,
}

enum FoundLabel {
    None,
    Written(String),
    /// Of the last label that there is.
    Positive(bool),
}

/// The texts of a file, or of the embedded corpus, with their labels: the true ones, or those that the
/// model predicts. Texts that cannot be used are named and left out.
pub(crate) fn labelled(
    path: &Path,
    limit: Option<usize>,
    seed: u64,
    target: EvaluationTarget,
    model: &Model,
) -> anyhow::Result<Data> {
    match model.transformer.config().head.outputs() {
        Outputs::Labels => {}
        Outputs::Vocabulary => bail!(
            "the model continues texts and has no labels to be measured on: `evaluate` and `tune` are \
             for classifiers; docs/language-models.md says how language models are measured"
        ),
        Outputs::TokenLabels | Outputs::StartAndEnd | Outputs::Vector => bail!(
            "the model has no label for a whole text to be measured on: `evaluate` and `tune` are for \
             classifiers of texts or pictures"
        ),
    }
    let (found, sha256) = if path == Path::new(EMBEDDED) && !path.exists() {
        (embedded(seed), None)
    } else {
        let found = of_file(path)?;
        (found, Some(sha256(path)?))
    };
    let config = model.transformer.config();
    let mut samples = Vec::new();
    let written = Written::of(&found, &config.labels);
    for found in found.into_iter().take(limit.unwrap_or(usize::MAX)) {
        let place = &found.place;
        let label = match target {
            EvaluationTarget::True => label(&found, written, &config.labels)?,
            EvaluationTarget::Predicted => 0, // known only after the model has read the text
        };
        let encoded = model.tokenize(&found.text, None, Truncation::Cut);
        match encoded {
            Ok(text) => samples.push(Sample {
                evidence: found.evidence,
                polarity: found.sentiment,
                ..Sample::new(text, label)
            }),
            Err(error) => say(&format!("{place}: {error}; skipped")),
        }
    }
    if samples.is_empty() {
        bail!("{}: there is no text to measure with", path.display());
    }
    if target == EvaluationTarget::Predicted {
        let texts: Vec<&TokenizedText> = samples.iter().map(|sample| &sample.text).collect();
        let labels = predictions(model, &texts)?;
        samples
            .iter_mut()
            .zip(labels)
            .for_each(|(sample, label)| sample.label = label);
    }
    // People judged what speaks for the last label. It speaks against any other.
    let last = config.labels.len() - 1;
    for sample in samples.iter_mut().filter(|sample| sample.label != last) {
        sample
            .polarity
            .iter_mut()
            .for_each(|word| word.value = -word.value);
    }
    Ok(Data { samples, sha256 })
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
    fn of(found: &[Found], labels: &[String]) -> Self {
        let mut written = found.iter().filter_map(|found| match &found.label {
            FoundLabel::Written(label) => Some(label),
            FoundLabel::None | FoundLabel::Positive(_) => None,
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
fn label(found: &Found, written: Written, labels: &[String]) -> anyhow::Result<usize> {
    let place = &found.place;
    match &found.label {
        FoundLabel::Positive(positive) if labels.len() == 2 => Ok(usize::from(*positive)),
        FoundLabel::Positive(_) => bail!(
            "{place}: the text is positive or negative, and the model has the labels {}; \
             give --target predicted",
            labels.join(", ")
        ),
        FoundLabel::None => bail!(
            "{place}: the text has no label; add a column `label`, \
             or measure with the model's own predictions: --target predicted"
        ),
        FoundLabel::Written(label) => match written.index(label, labels) {
            Some(index) => Ok(index),
            None => bail!(
                "{place}: the model has no label `{label}`; it has {}",
                labels.join(", ")
            ),
        },
    }
}

/// The reviews that the demo's model has never seen.
fn embedded(seed: u64) -> Vec<Found> {
    let reviews = corpus::reviews(REVIEWS as usize, seed).test;
    let found = reviews
        .into_iter()
        .enumerate()
        .map(|(index, review)| Found {
            place: format!("review {}", index + 1),
            text: review.text,
            label: FoundLabel::Positive(review.label == 1),
            evidence: review.evidence,
            sentiment: Vec::new(),
        });
    found.collect()
}

fn of_file(path: &Path) -> anyhow::Result<Vec<Found>> {
    let name = path.display();
    if corpus::are_trees(path)? {
        let trees = corpus::read_trees(path)?;
        // A neutral sentence has no label that could be explained, as in SST-2.
        let decided = trees.into_iter().filter(|tree| tree.label != Tree::NEUTRAL);
        return Ok(decided
            .map(|tree| of_tree(tree, &name.to_string()))
            .collect());
    }
    let inputs = corpus::read_texts(path)?;
    for error in &inputs.skipped {
        say(&format!("{error}; skipped"));
    }
    let found = inputs.texts.into_iter().map(|input| Found {
        place: format!("{name}, line {}", input.line),
        text: input.text,
        label: input.label.map_or(FoundLabel::None, FoundLabel::Written),
        evidence: Vec::new(),
        sentiment: Vec::new(),
    });
    Ok(found.collect())
}

fn of_tree(tree: Tree, name: &str) -> Found {
    let judged = tree.words.into_iter().map(|(place, label)| Polarity {
        place,
        value: f64::from(label) - f64::from(Tree::NEUTRAL),
    });
    Found {
        place: format!("{name}, line {}", tree.line),
        text: tree.text,
        label: FoundLabel::Positive(tree.label > Tree::NEUTRAL),
        evidence: Vec::new(),
        sentiment: judged.collect(),
    }
}
