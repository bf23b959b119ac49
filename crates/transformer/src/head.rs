//! The heads of models: what the logits stand for, and which hidden state they come from.
//!
//! Code that needs to know something about a head asks these methods. A new kind of head is a
//! variant of [`Head`], with a variant of each of the types below that needs one; the compiler then
//! names every `match` that must handle it.

use relprop_rules::operations::Activation;
use serde::{Deserialize, Serialize};

use crate::{TextEnd, TokenizedText, probability, softmax};

/// What a model computes from its last hidden states.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Head {
    /// The label of a text or a picture, from the hidden state of its first token.
    #[default]
    Labels,
    /// The label of a text or a picture, from the mean of the hidden states of all its tokens.
    LabelsOfMean,
    /// The label of a picture, from the mean of the hidden states of its patches: BEiT.
    LabelsOfPatches,
    /// The label of a picture, from the hidden state of its class token and the mean of those of its patches, side
    /// by side: DINOv2.
    LabelsOfBoth,
    /// Which label a text has; its last token answers, through a linear map, which has a bias only after a pooler. It
    /// is how language models classify, and BART.
    LabelsAtEnd {
        /// Whether the last token is the last one that is no padding token.
        skips_padding: bool,
    },
    /// Which label each token has.
    TokenLabels,
    /// Where in the text the answer to a question starts, and where it ends: two logits a token.
    Span,
    /// Which token stands where the text has a mask token.
    MaskedToken {
        /// Whether the logits come from the table of word embeddings, and not from a linear map of
        /// the head's own. A bias is added in both cases.
        tied: bool,
        /// What stands before the logits, if anything does: a linear map, this activation and a norm. The logits
        /// have a bias then.
        activation: Option<Activation>,
    },
    /// Which token comes next, of any token: a language model.
    NextToken {
        /// Whether the logits come from the table of word embeddings, and not from a linear map of
        /// the head's own.
        tied: bool,
    },
    /// A vector that stands for the whole text or picture, to be compared with those of other texts.
    Vector {
        /// The hidden states that the vector is made of.
        pooling: VectorPooling,
        /// The linear map after it, if there is one.
        dense: Option<Dense>,
        /// One more after that: EmbeddingGemma. Only where there is a first one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        second: Option<Dense>,
        /// Whether the vector is compared by its direction alone: it is divided by its length.
        normalized: bool,
    },
}

/// Which hidden states the vector of a text or a picture is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VectorPooling {
    /// The mean over all tokens, special ones included.
    Mean,
    /// The first token's.
    First,
    /// The last token's.
    Last,
    /// The first token's of this id, or the very first token's where there is none; without an id, the first token's
    /// of those with the largest id of the text: CLIP, where it is the token that ends a text.
    FirstOf(Option<u32>),
    /// All tokens, as a query that was learned attends to them: SigLIP.
    Attention,
    /// The mean over the patches of a picture, without the tokens before them.
    Patches,
}

/// A linear map with a bias or without, and an activation or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dense {
    /// The number of features that it gives.
    pub width: usize,
    /// Whether it has a bias.
    pub bias: bool,
    /// The activation after it.
    pub activation: Option<Activation>,
}

/// What the logits of a head stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outputs {
    /// Each stands for a label of the whole text.
    Labels,
    /// Each stands for a label of a token; every token has its own.
    TokenLabels,
    /// The first stands for a token where the answer starts, the second for one where it ends; every
    /// token has its own.
    StartAndEnd,
    /// Each stands for a token of the vocabulary.
    Vocabulary,
    /// They are the features of a vector.
    Vector,
}

/// How probabilities follow from the logits of a head.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Probabilities {
    /// One output is right: `p_i = exp(z_i) / sum_j exp(z_j)`.
    #[default]
    Softmax,
    /// Each output is right or wrong by itself: `p_i = 1 / (1 + exp(-z_i))`.
    Sigmoid,
    /// The outputs are numbers, and no probabilities follow from them.
    None,
}

/// The tokens whose hidden states a head reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswersAt {
    /// The first token of the text.
    First,
    /// The last token of the text, or those that the text [names](TokenizedText::asked).
    Last,
    /// Each token of the text.
    Each,
    /// All tokens of the text at once, by their mean.
    Mean,
    /// All tokens at once, by attention of a learned query.
    Attended,
    /// All patches of the picture at once, by their mean.
    Patches,
    /// The first token of the picture, and beside it the mean of all patches.
    FirstAndPatches,
}

/// What may be asked of a model, and how it is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Targets<'a> {
    /// One of these labels, by its name or by its index.
    Labels(&'a [String]),
    /// A token of the vocabulary, by its text.
    Vocabulary,
    /// Nothing by name: the answer itself.
    Nothing,
}

impl Head {
    /// What its logits stand for.
    pub fn outputs(self) -> Outputs {
        match self {
            Self::Labels
            | Self::LabelsOfMean
            | Self::LabelsOfPatches
            | Self::LabelsOfBoth
            | Self::LabelsAtEnd { .. } => Outputs::Labels,
            Self::TokenLabels => Outputs::TokenLabels,
            Self::Span => Outputs::StartAndEnd,
            Self::MaskedToken { .. } | Self::NextToken { .. } => Outputs::Vocabulary,
            Self::Vector { .. } => Outputs::Vector,
        }
    }

    /// Whether it reads the mean of all tokens, or of all patches, and nothing else.
    pub(crate) fn is_of_mean(self) -> bool {
        match self {
            Self::LabelsOfMean => true,
            Self::Vector { pooling, .. } => {
                matches!(pooling, VectorPooling::Mean | VectorPooling::Patches)
            }
            _ => false,
        }
    }

    /// The tokens whose hidden states it reads.
    pub fn answers_at(self) -> AnswersAt {
        match self {
            Self::Labels => AnswersAt::First,
            Self::LabelsOfMean => AnswersAt::Mean,
            Self::LabelsOfPatches => AnswersAt::Patches,
            Self::LabelsOfBoth => AnswersAt::FirstAndPatches,
            Self::LabelsAtEnd { .. } | Self::MaskedToken { .. } | Self::NextToken { .. } => {
                AnswersAt::Last
            }
            Self::TokenLabels | Self::Span => AnswersAt::Each,
            Self::Vector { pooling, .. } => match pooling {
                VectorPooling::Mean => AnswersAt::Mean,
                VectorPooling::First => AnswersAt::First,
                VectorPooling::Last | VectorPooling::FirstOf(_) => AnswersAt::Last,
                VectorPooling::Attention => AnswersAt::Attended,
                VectorPooling::Patches => AnswersAt::Patches,
            },
        }
    }

    /// The end at which a text is cut that has more tokens than the model has positions. What a
    /// language model continues is a text's end, so it loses the start.
    pub fn cuts_from(self) -> TextEnd {
        match self {
            Self::NextToken { .. } => TextEnd::Start,
            Self::Labels
            | Self::LabelsOfMean
            | Self::LabelsOfPatches
            | Self::LabelsOfBoth
            | Self::LabelsAtEnd { .. }
            | Self::TokenLabels
            | Self::Span
            | Self::MaskedToken { .. }
            | Self::Vector { .. } => TextEnd::End,
        }
    }

    /// Whether the logits come from the table of word embeddings.
    pub fn is_tied(self) -> bool {
        match self {
            Self::MaskedToken { tied, .. } | Self::NextToken { tied } => tied,
            Self::Labels
            | Self::LabelsOfMean
            | Self::LabelsOfPatches
            | Self::LabelsOfBoth
            | Self::LabelsAtEnd { .. }
            | Self::TokenLabels
            | Self::Span
            | Self::Vector { .. } => false,
        }
    }

    /// The same with logits from the table of word embeddings, or without, where it gives a logit a
    /// token of the vocabulary.
    #[must_use]
    pub fn with_tied(self, tied: bool) -> Self {
        match self {
            Self::MaskedToken { activation, .. } => Self::MaskedToken { tied, activation },
            Self::NextToken { .. } => Self::NextToken { tied },
            Self::Labels
            | Self::LabelsOfMean
            | Self::LabelsOfPatches
            | Self::LabelsOfBoth
            | Self::LabelsAtEnd { .. }
            | Self::TokenLabels
            | Self::Span
            | Self::Vector { .. } => self,
        }
    }
}

impl Outputs {
    /// Whether every token of a text has outputs of its own.
    pub fn is_each_token(self) -> bool {
        matches!(self, Self::TokenLabels | Self::StartAndEnd)
    }
}

impl Probabilities {
    /// The probability of each output, from the logits of one text; none where none follow.
    pub fn of(self, logits: &[f32]) -> Option<Vec<f64>> {
        match self {
            Self::Softmax => Some(softmax(logits)),
            Self::Sigmoid => Some(logits.iter().map(|z| sigmoid(*z)).collect()),
            Self::None => None,
        }
    }

    /// The probability of the output at `index`, from the logits of one text; none where none follows.
    pub fn at(self, logits: &[f32], index: usize) -> Option<f64> {
        match self {
            Self::Softmax => Some(probability(logits, index)),
            Self::Sigmoid => Some(sigmoid(logits[index])),
            Self::None => None,
        }
    }
}

fn sigmoid(z: f32) -> f64 {
    (1.0 + (-f64::from(z)).exp()).recip()
}

impl AnswersAt {
    /// The first token of `text` that it reads, counted from 0.
    pub fn token(self, text: &TokenizedText) -> usize {
        match self {
            Self::First
            | Self::Each
            | Self::Mean
            | Self::Attended
            | Self::Patches
            | Self::FirstAndPatches => 0,
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
        for (found, expected) in found.unwrap().iter().zip([0.25, 0.75, 0.0]) {
            assert!((found - expected).abs() < 1e-4, "{found} {expected}");
        }
    }

    #[test]
    fn a_sigmoid_is_of_each_output_alone_and_does_not_overflow() {
        let found = Probabilities::Sigmoid.of(&[1000.0, 3_f32.ln(), 0.0, -1000.0]);
        for (found, expected) in found.unwrap().iter().zip([1.0, 0.75, 0.5, 0.0]) {
            assert!((found - expected).abs() < 1e-6, "{found} {expected}");
        }
        assert_eq!(Probabilities::None.of(&[1.0]), None);
        assert_eq!(Probabilities::None.at(&[1.0], 0), None);
    }

    #[test]
    fn the_token_that_answers_is_the_first_or_the_one_that_the_text_names() {
        let mut text = TokenizedText::padding(0, 4);
        assert_eq!(AnswersAt::First.token(&text), 0);
        assert_eq!(AnswersAt::Last.token(&text), 3);
        text.asked = vec![1];
        assert_eq!(AnswersAt::First.token(&text), 0);
        assert_eq!(AnswersAt::Last.token(&text), 1);
    }
}
