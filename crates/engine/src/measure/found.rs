//! Texts with their labels as they are found: in a file, or an embedded corpus.

use std::ops::Range;
use std::path::Path;

use image::DynamicImage;
use relprop_data::corpus;
use relprop_data::corpus::{Region, TextColumns, Tree};
use relprop_evaluate::Polarity;

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

/// A text as it was found.
#[derive(Clone, Debug)]
pub struct LabeledText {
    /// What errors call it.
    pub place: String,
    /// The text; of a picture, its name.
    pub text: String,
    /// The picture, if it is one.
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

/// What no model has seen that learned from an embedded corpus; none if `path` names a file.
pub(super) fn embedded(path: &Path, seed: u64) -> Option<Vec<LabeledText>> {
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

pub(super) fn of_file(
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
