//! What is asked of a model, as weights on the numbers that its head gives.

use relprop_checkpoints::Model;
use relprop_transformer::{Content, Outputs, TokenizedText};

use crate::numbers::argmax;
use crate::score::Scored;
use crate::{Score, Target, TargetValue};

/// What is asked of a method: a scalar of the numbers that a model's head gives for a text.
#[derive(Clone, Copy, Debug)]
pub struct Question<'q> {
    /// The model that is explained.
    pub model: &'q Model,
    /// Which of the numbers.
    pub target: Target,
    /// In which unit they are measured.
    pub score: Score,
}

impl Question<'_> {
    /// How much of each number the target takes, where the head gives `numbers` for `text`: those of one
    /// answer after another, as [`Transformer::forward`](relprop_transformer::Transformer::forward) does.
    ///
    /// ```text
    /// labels, tokens to come      the logit at each token that answers
    /// labels of tokens            the logit at each token that the text asks
    /// start and end               the start logit at one token, and the end logit at another
    /// ```
    pub fn weights(&self, text: &TokenizedText, numbers: &[f32]) -> Vec<f32> {
        let mut weights = vec![0.0; numbers.len()];
        for (answer, output, weight) in self.parts(text, numbers) {
            weights[answer * self.outputs() + output] += weight;
        }
        weights
    }

    /// The answers, by their places, that the target is made of, each with the output that it takes and
    /// its factor.
    fn parts(&self, text: &TokenizedText, numbers: &[f32]) -> Vec<(usize, usize, f32)> {
        let outputs = self.outputs();
        let answers = match self.kind() {
            Outputs::StartAndEnd => {
                let (start, end) = self.span(text, numbers);
                return vec![(start, 0, 1.0), (end, 1, 1.0)];
            }
            Outputs::TokenLabels => asked(text),
            Outputs::Labels | Outputs::Vocabulary | Outputs::Vector => {
                (0..numbers.len() / outputs).collect()
            }
        };
        let at = |answer: usize| &numbers[answer * outputs..(answer + 1) * outputs];
        let of_answer = |answer: usize| match self.target {
            Target::Predicted => vec![(answer, argmax(at(answer)), 1.0)],
            Target::Label(index) => vec![(answer, index, 1.0)],
            Target::Contrast(a, b) => vec![(answer, a, 1.0), (answer, b, -1.0)],
            Target::Given => given(text, answer)
                .map(|id| (answer, id, 1.0))
                .into_iter()
                .collect(),
        };
        answers.into_iter().flat_map(of_answer).collect()
    }

    /// The tokens where the answer to a question starts and ends: those that the text asks, or the two
    /// whose logits have the largest sum, of the second text of a pair.
    pub(crate) fn span(&self, text: &TokenizedText, numbers: &[f32]) -> (usize, usize) {
        if let (Some(first), Some(last)) = (text.asked.first(), text.asked.last()) {
            return (*first, *last);
        }
        best_span(text, numbers)
    }

    /// The value of the target, and how much of each number flows into it.
    pub(crate) fn scored(&self, text: &TokenizedText, numbers: &[f32]) -> Scored {
        let weights = self.weights(text, numbers);
        let probabilities = self.model.transformer.config().probabilities();
        (self.score).of(weights, numbers, self.outputs(), probabilities)
    }

    /// What the scalar is called, and its value where the head gives `numbers` for `text`.
    pub fn value(&self, text: &TokenizedText, numbers: &[f32]) -> TargetValue {
        TargetValue {
            label: self.name(text, numbers),
            score: self.score,
            value: self.scored(text, numbers).value as f32,
        }
    }

    /// The one output that it is the logit of; none if it is made of several.
    pub(crate) fn single(&self, text: &TokenizedText, numbers: &[f32]) -> Option<usize> {
        match self.parts(text, numbers).as_slice() {
            [(0, output, _)] => Some(*output),
            _ => None,
        }
    }

    fn name(&self, text: &TokenizedText, numbers: &[f32]) -> String {
        let name = |index| self.model.output(index);
        if self.kind() == Outputs::StartAndEnd {
            let (start, end) = self.span(text, numbers);
            return slice(text, start, end);
        }
        match self.target {
            Target::Label(index) => name(index),
            Target::Contrast(a, b) => format!("{}-{}", name(a), name(b)),
            Target::Predicted | Target::Given => {
                let parts = self.parts(text, numbers).into_iter();
                let mut names: Vec<String> = parts.map(|(_, output, _)| name(output)).collect();
                match self.kind() {
                    Outputs::TokenLabels => {
                        names
                            .iter_mut()
                            .for_each(|name| *name = tag(name).1.to_owned());
                        names.dedup();
                        names.join("+")
                    }
                    _ => names.concat(),
                }
            }
        }
    }

    fn kind(&self) -> Outputs {
        self.model.transformer.config().head.outputs()
    }

    /// How many numbers each answer has.
    fn outputs(&self) -> usize {
        self.model.transformer.config().logits()
    }
}

/// The token that stands after the one that gives this answer.
fn given(text: &TokenizedText, answer: usize) -> Option<usize> {
    let last = text.tokens.len().saturating_sub(1);
    let asked = text.asked.get(answer).copied().unwrap_or(last);
    text.tokens.get(asked + 1).map(|token| token.id as usize)
}

/// The tokens that a text asks where each token answers; all but special ones if it names none.
fn asked(text: &TokenizedText) -> Vec<usize> {
    match text.asked.as_slice() {
        [] => {
            let tokens = 0..text.tokens.len();
            tokens
                .filter(|&token| !text.tokens[token].special)
                .collect()
        }
        asked => asked.to_vec(),
    }
}

/// The tokens with the largest sum of a start and an end logit, the end not before the start: in the
/// second text of a pair, or else in the text, special tokens left out. The first tokens if there are
/// none.
pub(crate) fn best_span(text: &TokenizedText, numbers: &[f32]) -> (usize, usize) {
    let context = match text.content {
        Content::Text {
            second: Some(second),
        } => second,
        Content::Text { second: None } | Content::Picture(_) => 0,
    };
    let fits = |token: &usize| {
        let token = &text.tokens[*token];
        !token.special && token.start >= context
    };
    let mut best: Option<(f64, usize, usize)> = None;
    // The best start up to each token.
    let mut start: Option<usize> = None;
    for token in (0..text.tokens.len()).filter(fits) {
        if start.is_none_or(|start| numbers[2 * token] > numbers[2 * start]) {
            start = Some(token);
        }
        let first = start.unwrap_or(token);
        let sum = f64::from(numbers[2 * first]) + f64::from(numbers[2 * token + 1]);
        if best.is_none_or(|(largest, ..)| sum > largest) {
            best = Some((sum, first, token));
        }
    }
    best.map_or((0, 0), |(_, start, end)| (start, end))
}

/// The text from one token to another.
pub(crate) fn slice(text: &TokenizedText, first: usize, last: usize) -> String {
    let (start, end) = (text.tokens[first].start, text.tokens[last].end);
    let characters = text.text.chars().skip(start);
    characters.take(end.saturating_sub(start)).collect()
}

/// What a label of a token says of where it stands in an entity, and the rest of it: `B-PER` is `B` and
/// `PER`.
pub(crate) fn tag(label: &str) -> (Option<char>, &str) {
    let mut characters = label.chars();
    match (characters.next(), characters.next()) {
        (Some(place @ ('B' | 'I' | 'L' | 'E' | 'S' | 'U')), Some('-' | '_')) => {
            (Some(place), characters.as_str())
        }
        _ => (None, label),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("B-PER", Some('B'), "PER")]
    #[case("I-DATE-TIME", Some('I'), "DATE-TIME")]
    #[case("S-LOC", Some('S'), "LOC")]
    #[case("O", None, "O")]
    #[case("NOUN", None, "NOUN")]
    #[case("BORN", None, "BORN")]
    #[case("", None, "")]
    fn a_tag_has_a_place_and_a_name(
        #[case] label: &str,
        #[case] place: Option<char>,
        #[case] name: &str,
    ) {
        assert_eq!(tag(label), (place, name));
    }
}
