//! The texts that are measured.

use std::ops::Range;

use relprop_transformer::TokenizedText;

/// A text, its true label, and what is known about its words.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// The text.
    pub text: TokenizedText,
    /// The index of its label among the model's.
    pub label: usize,
    /// The words that decide the label, as ranges of characters. Empty if they are not known.
    pub evidence: Vec<Range<usize>>,
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
    /// A text about whose words nothing is known.
    pub fn new(text: TokenizedText, label: usize) -> Self {
        Self {
            text,
            label,
            evidence: Vec::new(),
            polarity: Vec::new(),
        }
    }
}

/// Whether two ranges of characters have one in common.
pub(super) fn overlap(a: &Range<usize>, b: &Range<usize>) -> bool {
    a.start < b.end && b.start < a.end
}
