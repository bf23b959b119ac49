//! The texts that are measured.

use std::ops::Range;

use relprop_explain::{Score, Target};
use relprop_transformer::TokenizedText;

/// A text, what is asked of it, and what is known about its words.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// The text. It says at which tokens it is asked.
    pub text: TokenizedText,
    /// What is explained. Not [`Target::Predicted`], which could be another label in every version of the text,
    /// unless all outputs are asked together.
    pub target: Target,
    /// How it is measured. Not [`Score::Norm`]: a norm is of no outputs.
    pub score: Score,
    /// Where the answer begins that was given to the text, as a number of tokens. What stands from there on
    /// stays in every version of the text.
    pub answer: Option<usize>,
    /// The words that decide the label, as ranges of characters. Empty if they are not known.
    pub evidence: Vec<Range<usize>>,
    /// Of a picture, how much of each patch lies in the part that decides the label, from 0 to 1, row by row. Empty if it is
    /// not known.
    pub patches: Vec<f64>,
    /// How much each word speaks for the label. Empty if nobody has judged the words.
    pub polarity: Vec<Polarity>,
}

/// What people think of one word.
#[derive(Clone, Debug, PartialEq)]
pub struct Polarity {
    /// Where the word stands in the text, in characters.
    pub place: Range<usize>,
    /// How much it speaks for the label of its text: positive for it, negative against it, 0 neutral.
    pub value: f64,
}

impl Sample {
    /// A text about whose words nothing is known, asked for the logit of a label, by its index.
    pub fn new(text: TokenizedText, label: usize) -> Self {
        Self::asking(text, Target::Label(label), Score::Logit)
    }

    /// The same, asked for any target.
    pub fn asking(text: TokenizedText, target: Target, score: Score) -> Self {
        Self {
            text,
            target,
            score,
            answer: None,
            evidence: Vec::new(),
            patches: Vec::new(),
            polarity: Vec::new(),
        }
    }

    /// The label whose logit is asked for, if it is that of a label.
    pub fn label(&self) -> Option<usize> {
        match (self.target, self.score) {
            (Target::Label(label), Score::Logit) => Some(label),
            _ => None,
        }
    }

    /// Whether anything is known about what decides its label.
    pub fn has_evidence(&self) -> bool {
        !self.evidence.is_empty() || !self.patches.is_empty()
    }

    /// Of each patch, whether it is evidence: half of it or more is. Where evidence is so small that it is half of no patch, the
    /// patches that hold the most of it are.
    pub(super) fn decisive_patches(&self) -> Vec<bool> {
        let most = self.patches.iter().copied().fold(0.0, f64::max);
        let enough = most.min(0.5);
        let decides = |share: &f64| *share > 0.0 && *share >= enough;
        self.patches.iter().map(decides).collect()
    }

    /// How many tokens stand before the answer; all if none was given.
    pub fn prompt(&self) -> usize {
        let tokens = self.text.tokens.len();
        self.answer.map_or(tokens, |answer| answer.min(tokens))
    }
}

/// Whether two ranges of characters have one in common.
pub(super) fn overlap(a: &Range<usize>, b: &Range<usize>) -> bool {
    a.start < b.end && b.start < a.end
}
