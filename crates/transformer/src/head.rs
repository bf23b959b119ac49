//! The heads of models: what the logits stand for, and which hidden state they come from.
//!
//! Code that needs to know something about a head asks these methods. A new kind of head is a
//! variant of [`Head`], with a variant of each of the types below that needs one; the compiler then
//! names every `match` that must handle it.

use serde::{Deserialize, Serialize};

use crate::{TextEnd, TokenizedText, probability, softmax};

/// What a model computes from its last hidden states.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Head {
    /// The label of a text or a picture, from the hidden state of its first token.
    #[default]
    Labels,
    /// The token that follows each token: a language model.
    NextToken {
        /// Whether the logits come from the table of word embeddings, and not from a linear map of
        /// the head's own.
        tied: bool,
    },
}

/// What the logits of a head stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outputs {
    /// Each stands for a label of the whole text.
    Labels,
    /// Each stands for a token of the vocabulary.
    Vocabulary,
}

/// How probabilities follow from the logits of a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probabilities {
    /// One output is right: `p_i = exp(z_i) / sum_j exp(z_j)`.
    Softmax,
}

/// The token whose hidden state a head reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswersAt {
    /// The first token of the text.
    First,
    /// The last token of the text, or the one that the text [names](TokenizedText::position).
    Last,
}

/// What may be asked of a model, and how it is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Targets<'a> {
    /// One of these labels, by its name or by its index.
    Labels(&'a [String]),
    /// A token of the vocabulary, by its text.
    Vocabulary,
}

impl Head {
    /// What its logits stand for.
    pub fn outputs(self) -> Outputs {
        match self {
            Self::Labels => Outputs::Labels,
            Self::NextToken { .. } => Outputs::Vocabulary,
        }
    }

    /// How probabilities follow from its logits.
    pub fn probabilities(self) -> Probabilities {
        match self {
            Self::Labels | Self::NextToken { .. } => Probabilities::Softmax,
        }
    }

    /// The token whose hidden state it reads.
    pub fn answers_at(self) -> AnswersAt {
        match self {
            Self::Labels => AnswersAt::First,
            Self::NextToken { .. } => AnswersAt::Last,
        }
    }

    /// The end at which a text is cut that has more tokens than the model has positions. What a
    /// language model continues is a text's end, so it loses the start.
    pub fn cuts_from(self) -> TextEnd {
        match self {
            Self::Labels => TextEnd::End,
            Self::NextToken { .. } => TextEnd::Start,
        }
    }
}

impl Probabilities {
    /// The probability of each output, from the logits of one text.
    pub fn of(self, logits: &[f32]) -> Vec<f64> {
        match self {
            Self::Softmax => softmax(logits),
        }
    }

    /// The probability of the output at `index`, from the logits of one text.
    pub fn at(self, logits: &[f32], index: usize) -> f64 {
        match self {
            Self::Softmax => probability(logits, index),
        }
    }
}

impl AnswersAt {
    /// The token of `text`, counted from 0.
    pub fn token(self, text: &TokenizedText) -> usize {
        match self {
            Self::First => 0,
            Self::Last => text.last(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_softmax_sums_to_one_and_does_not_overflow() {
        let found = Probabilities::Softmax.of(&[1000.0, 1000.0 + 3_f32.ln(), f32::NEG_INFINITY]);
        for (found, expected) in found.iter().zip([0.25, 0.75, 0.0]) {
            assert!((found - expected).abs() < 1e-4, "{found} {expected}");
        }
    }

    #[test]
    fn the_token_that_answers_is_the_first_or_the_one_that_the_text_names() {
        let mut text = TokenizedText::padding(0, 4);
        assert_eq!(AnswersAt::First.token(&text), 0);
        assert_eq!(AnswersAt::Last.token(&text), 3);
        text.position = Some(1);
        assert_eq!(AnswersAt::First.token(&text), 0);
        assert_eq!(AnswersAt::Last.token(&text), 1);
    }
}
