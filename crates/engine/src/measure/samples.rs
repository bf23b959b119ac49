//! The texts that are measured.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use image::DynamicImage;
use relprop_checkpoints::{Input, Model, TextError, Truncation};
use relprop_data::corpus::{Pictures, Region, TextColumns, Tree};
use relprop_data::{corpus, sha256};
use relprop_evaluate::{Polarity, Sample, predictions};
use relprop_explain::{
    Chosen, ExplainError, Explainer, Place, Plan, Scalar, Score, Target, answer_start,
};
use relprop_transformer::{Content, Head, Outputs, TokenizedText};
use serde::{Deserialize, Serialize};

use super::MeasureError;
use super::pictures::shares;
use crate::EngineError;

/// The names of the embedded corpora, unless a file has this name.
const EMBEDDED: &str = "reviews";
const NEEDLES: &str = "needles";
/// How many texts with facts and questions there are unless another number is asked for, and how many of them are
/// held out.
pub const NEEDLE_TEXTS: [usize; 2] = [20_000, 200];
/// How many reviews the embedded corpus has unless another number is asked for: eight tenths to train on, a
/// tenth held out, a tenth to test.
pub const REVIEWS: u32 = 8000;

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

/// A text as it was found.
#[derive(Clone, Debug)]
pub struct LabeledText {
    /// What errors call it.
    pub place: String,
    /// The text; of a picture, its name.
    pub text: String,
    /// The picture, if it is none.
    pub picture: Option<DynamicImage>,
    /// Its label.
    pub label: WrittenLabel,
    /// The second text, which is read after it, if there is one.
    pub pair: Option<String>,
    /// The answer that is given to it, with the space before it; of a model that finds answers, one that stands in the second
    /// text.
    pub answer: Option<String>,
    /// The words that decide the label, as ranges of characters, if they are known; of the second text, if there is one.
    pub evidence: Vec<Range<usize>>,
    /// The part of the picture that decides the label, if it is known.
    pub region: Option<Region>,
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

/// How texts are asked.
struct Asker {
    /// It reads texts, and knows what is asked of them, but for an answer that stands in each of them.
    explainer: Explainer,
    /// What is asked.
    target: Scalar,
    /// Whether the answer that is given to each text is explained.
    answers: bool,
    /// Whether the model goes on with texts.
    writes: bool,
}

impl Asker {
    /// The text, and where the answer begins in it.
    fn tokenize(&self, found: &LabeledText) -> Result<(TokenizedText, Option<usize>), String> {
        match &found.picture {
            None => self.read(found).map_err(|error| error.to_string()),
            Some(picture) => {
                let read = self.explainer.model().picture(picture, &found.text);
                Ok((read.map_err(|error| error.to_string())?, None))
            }
        }
    }

    fn read(&self, found: &LabeledText) -> Result<(TokenizedText, Option<usize>), ExplainError> {
        let read = |explainer: &Explainer| match &found.pair {
            Some(second) => explainer.tokenize_pair(&found.text, second),
            None => explainer.tokenize(&found.text),
        };
        if !self.answers || self.target.place.is_some() && !self.writes {
            return Ok((read(&self.explainer)?, None));
        }
        let answer = found.answer.as_deref().ok_or(TextError::NoAnswer)?;
        if !self.writes {
            let place = Place::Text {
                text: answer.trim().to_owned(),
                number: None,
            };
            let plan = Plan {
                target: Scalar {
                    place: Some(place),
                    ..self.target.clone()
                },
                ..self.explainer.plan().clone()
            };
            let explainer = Explainer::new(self.explainer.model(), &plan)?;
            return Ok((read(&explainer)?, None));
        }
        let text = self.explainer.tokenize_answer(&found.text, answer)?;
        let start = answer_start(&text);
        Ok((text, Some(start)))
    }
}

/// Places in the second text as places in both.
fn in_second(text: &TokenizedText, mut evidence: Vec<Range<usize>>) -> Vec<Range<usize>> {
    if let Content::Text {
        second: Some(start),
    } = text.content
    {
        let shift = |range: &mut Range<usize>| *range = range.start + start..range.end + start;
        evidence.iter_mut().for_each(shift);
    }
    evidence
}

/// Refuses what the model, or a metric, cannot be asked.
fn asker(target: &Measured, model: &Arc<Model>) -> Result<Asker, EngineError> {
    let config = model.transformer.config();
    let outputs = config.head.outputs();
    let writes = matches!(config.head, Head::NextToken { .. });
    let scalar = match target {
        Measured::True if writes || outputs == Outputs::StartAndEnd => Target::Given.into(),
        Measured::True if outputs == Outputs::Labels => Target::Predicted.into(),
        Measured::Predicted if matches!(outputs, Outputs::Labels | Outputs::Vocabulary) => {
            Target::Predicted.into()
        }
        Measured::True | Measured::Predicted => return Err(MeasureError::NoTextLabel.into()),
        Measured::Target(written) => {
            Scalar::read(model, written, None).map_err(ExplainError::from)?
        }
    };
    let of_all = scalar.score == Score::Entropy;
    let open = scalar.of == Target::Predicted && matches!(target, Measured::Target(_)) && !of_all;
    let above_predicted = matches!(
        scalar.of,
        Target::AboveMean {
            of: Chosen::Predicted,
            ..
        }
    );
    if open || above_predicted || scalar.score == Score::Norm {
        return Err(MeasureError::NotFixed(scalar.to_string()).into());
    }
    let answers = scalar.of.is_given();
    let finds = outputs == Outputs::StartAndEnd;
    let stands_in_texts = answers && finds && scalar.place.is_none();
    let plan = Plan {
        target: match stands_in_texts {
            true => Target::Predicted.into(),
            false => scalar.clone(),
        },
        truncation: Truncation::Cut,
        ..Plan::default()
    };
    Ok(Asker {
        explainer: Explainer::new(model, &plan)?,
        target: scalar,
        answers,
        writes,
    })
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

/// What no model has seen that learned from an embedded corpus; none if `path` names a file.
fn embedded(path: &Path, seed: u64) -> Option<Vec<LabeledText>> {
    match path.to_str().filter(|_| !path.exists())? {
        EMBEDDED => Some(held_out_reviews(seed)),
        NEEDLES => Some(held_out_needles(seed)),
        _ => None,
    }
}

fn held_out_needles(seed: u64) -> Vec<LabeledText> {
    let [all, held_out] = NEEDLE_TEXTS;
    let texts = corpus::needles(all, seed).split_off(all - held_out);
    let found = (1..).zip(texts).map(|(number, needle)| LabeledText {
        picture: None,
        place: format!("question {number}"),
        text: needle.prompt,
        label: WrittenLabel::None,
        answer: Some(needle.answer),
        pair: None,
        evidence: vec![needle.fact],
        region: None,
        sentiment: Vec::new(),
    });
    found.collect()
}

fn held_out_reviews(seed: u64) -> Vec<LabeledText> {
    let reviews = corpus::reviews(REVIEWS as usize, seed).test;
    let found = (1..).zip(reviews).map(|(number, review)| LabeledText {
        picture: None,
        place: format!("review {number}"),
        text: review.text,
        label: WrittenLabel::Positive(review.label == 1),
        answer: None,
        pair: None,
        evidence: review.evidence,
        region: None,
        sentiment: Vec::new(),
    });
    found.collect()
}

fn of_file(
    path: &Path,
    more: TextColumns,
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
    let inputs = corpus::read_texts_with(path, more)?;
    for error in &inputs.skipped {
        say(&format!("{error}; skipped"));
    }
    let found = inputs.texts.into_iter().map(|input| LabeledText {
        picture: None,
        place: format!("{name}, line {}", input.line),
        text: input.text,
        label: input
            .label
            .map_or(WrittenLabel::None, WrittenLabel::Written),
        evidence: input.evidence,
        region: None,
        answer: input.answer,
        pair: input.pair,
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
        picture: None,
        place: format!("{name}, line {}", tree.line),
        text: tree.text,
        label: WrittenLabel::Positive(tree.label > Tree::NEUTRAL),
        answer: None,
        pair: None,
        evidence: Vec::new(),
        region: None,
        sentiment: judged.collect(),
    }
}
