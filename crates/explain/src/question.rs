//! What is asked of a model, as weights on the numbers that its head gives.

use relprop_checkpoints::Model;
use relprop_transformer::{AnswersAt, Content, Outputs, TokenizedText};

use crate::methods::Finding;
use crate::numbers::argmax;
use crate::score::{Choice, Scored};
use crate::{Chosen, ExplainError, Score, Target, TargetValue};

/// What is asked of a method: a scalar of the numbers that a model's head gives for a text.
#[derive(Clone, Copy, Debug)]
pub struct Question<'q> {
    /// The model that is explained.
    pub model: &'q Model,
    /// Which of the numbers.
    pub target: Target,
    /// How they are measured.
    pub score: Score,
    /// How much of each answer that the text asks counts; all of each if there are none.
    pub weights: Option<&'q [f32]>,
}

impl<'q> Question<'q> {
    /// The logit of one label.
    ///
    /// # Errors
    ///
    /// If the model has no such label.
    pub(crate) fn of_label(model: &'q Model, label: usize) -> Result<Self, ExplainError> {
        let config = model.transformer.config();
        Ok(Self {
            model,
            target: Target::Label(label).check(config.logits(), &config.labels)?,
            score: Score::Logit,
            weights: None,
        })
    }
}

impl Question<'_> {
    /// The answers, by their places, that the target is made of, each with the output that it names and
    /// its factor, where the head gives `numbers` for `text`: those of one answer after another, as
    /// [`Transformer::forward`](relprop_transformer::Transformer::forward) does.
    ///
    /// ```text
    /// labels, tokens to come      the logit at each token that answers
    /// labels of tokens            the logit at each token that the text asks
    /// start and end               the start logit at one token, and the end logit at another
    /// ```
    fn parts(&self, text: &TokenizedText, numbers: &[f32]) -> Vec<(usize, usize, f32)> {
        if self.kind() == Outputs::StartAndEnd {
            let (start, end) = self.span(text, numbers);
            return vec![(start, 0, 1.0), (end, 1, 1.0)];
        }
        let outputs = self.outputs();
        let at = |answer: usize| &numbers[answer * outputs..(answer + 1) * outputs];
        let answers = self.answers(text, numbers.len() / outputs);
        let of_answer = |&answer: &usize| match self.target {
            Target::Predicted => vec![(answer, argmax(at(answer)), 1.0)],
            Target::Label(index) => vec![(answer, index, 1.0)],
            Target::Contrast(a, b) => vec![(answer, a, 1.0), (answer, b, -1.0)],
            Target::AboveMean { of, .. } => {
                let of = match of {
                    Chosen::Predicted => Some(argmax(at(answer))),
                    Chosen::Label(index) => Some(index),
                    Chosen::Given => given(text, answer),
                };
                of.map(|of| (answer, of, 1.0)).into_iter().collect()
            }
            Target::Class(index) => vec![(answer, self.in_class(index, answer, &answers), 1.0)],
            Target::Given => given(text, answer)
                .map(|id| (answer, id, 1.0))
                .into_iter()
                .collect(),
        };
        answers.iter().flat_map(of_answer).collect()
    }

    /// Those of `count` answers that the target is made of.
    fn answers(&self, text: &TokenizedText, count: usize) -> Vec<usize> {
        match self.kind() {
            Outputs::TokenLabels | Outputs::StartAndEnd => asked(text),
            Outputs::Labels | Outputs::Vocabulary | Outputs::Vector => (0..count).collect(),
        }
    }

    /// The label that a token has in an entity of the class of the label `index`, if it is one of `tokens`:
    /// `B-NAME` at the start of neighbors, and `I-NAME` after it, or what the model has in their place.
    fn in_class(&self, index: usize, token: usize, tokens: &[usize]) -> usize {
        let labels = &self.model.transformer.config().labels;
        let class = tag(&labels[index]).1;
        let goes_on = token > 0 && tokens.contains(&(token - 1));
        let ends = !tokens.contains(&(token + 1));
        let places = match (goes_on, ends) {
            (false, true) => ['S', 'U', 'B', 'I'],
            (false, false) => ['B', 'I', 'S', 'U'],
            (true, true) => ['E', 'L', 'I', 'B'],
            (true, false) => ['I', 'B', 'E', 'L'],
        };
        let with = |place: char| {
            labels
                .iter()
                .position(|label| tag(label) == (Some(place), class))
        };
        places.into_iter().find_map(with).unwrap_or(index)
    }

    /// The tokens where the answer to a question starts and ends: those that the text asks, or the two
    /// whose logits have the largest sum, of the second text of a pair.
    pub(crate) fn span(&self, text: &TokenizedText, numbers: &[f32]) -> (usize, usize) {
        if let (Some(first), Some(last)) = (text.asked.first(), text.asked.last()) {
            return (*first, *last);
        }
        best_span(text, numbers)
    }

    /// The value of the target, where the head gives `numbers` for the text or for a version of it.
    pub fn value(&self, text: &TokenizedText, numbers: &[f32]) -> f64 {
        self.scored(text, numbers).value
    }

    /// The value of the target, and how much flows into it of each of the `numbers` that the head gives, or
    /// for a norm of each number of the states that it reads.
    pub(crate) fn scored(&self, text: &TokenizedText, numbers: &[f32]) -> Scored {
        if self.score == Score::Norm {
            let states = match self.model.transformer.config().head.answers_at() {
                AnswersAt::First
                | AnswersAt::Mean
                | AnswersAt::Attended
                | AnswersAt::Patches
                | AnswersAt::FirstAndPatches => 1,
                AnswersAt::Last => text.asked.len().max(1),
                AnswersAt::Each => text.tokens.len() - text.source,
            };
            return Scored::norm(numbers, numbers.len() / states, &self.answers(text, states));
        }
        let mut weights = vec![0.0; numbers.len()];
        if self.score != Score::Entropy {
            let counts = |answer: usize| self.weights.map_or(1.0, |weights| weights[answer]);
            let outputs = self.outputs();
            for (answer, output, weight) in self.parts(text, numbers) {
                weights[answer * outputs + output] += counts(answer) * weight;
            }
            if let Target::AboveMean { top, .. } = self.target {
                let count = top.map_or(outputs, |count| count.get());
                for answer in self.answers(text, numbers.len() / outputs) {
                    let row = answer * outputs..(answer + 1) * outputs;
                    let share = counts(answer) / count as f32;
                    for index in largest(&numbers[row.clone()], count) {
                        weights[row.start + index] -= share;
                    }
                }
            }
        }
        let probabilities = self.model.transformer.config().probabilities();
        let choices = || self.choices(text, numbers);
        match self.score {
            Score::Logit | Score::Norm => Scored::sum(weights, numbers),
            Score::LogProbability => {
                Scored::log_probability(&weights, numbers, &choices(), probabilities)
            }
            Score::Entropy => Scored::entropy(numbers, &choices(), probabilities),
        }
    }

    /// The numbers between which probabilities are shared: the outputs of each answer; of a start and an
    /// end, all tokens.
    fn choices(&self, text: &TokenizedText, numbers: &[f32]) -> Vec<Choice> {
        let outputs = self.outputs();
        if self.kind() == Outputs::StartAndEnd {
            let choice = |first| Choice {
                first,
                step: outputs,
                count: numbers.len() / outputs,
            };
            return (0..outputs).map(choice).collect();
        }
        let answers = self.answers(text, numbers.len() / outputs).into_iter();
        let choice = |answer| Choice {
            first: answer * outputs,
            step: 1,
            count: outputs,
        };
        answers.map(choice).collect()
    }

    /// What the scalar is called, and its value in what was `found` for the text.
    pub fn named(&self, text: &TokenizedText, found: &Finding) -> TargetValue {
        TargetValue {
            label: self.name(text, &found.logits),
            score: self.score,
            value: found.value as f32,
        }
    }

    /// The one output that it is the logit of; none if it is made of several.
    pub(crate) fn single(&self, text: &TokenizedText, numbers: &[f32]) -> Option<usize> {
        match (self.target, self.parts(text, numbers).as_slice()) {
            (Target::AboveMean { .. }, _) => None,
            (_, [(0, output, _)]) => Some(*output),
            _ => None,
        }
    }

    /// The outputs that the target names, at the first token that answers.
    pub(crate) fn shown(&self, text: &TokenizedText) -> Vec<usize> {
        match self.target {
            Target::Label(index) | Target::Class(index) => vec![index],
            Target::Contrast(a, b) => vec![a, b],
            Target::AboveMean { of, .. } => match of {
                Chosen::Label(index) => vec![index],
                Chosen::Predicted => Vec::new(),
                Chosen::Given => given(text, 0).into_iter().collect(),
            },
            Target::Predicted => Vec::new(),
            Target::Given => given(text, 0).into_iter().collect(),
        }
    }

    fn name(&self, text: &TokenizedText, numbers: &[f32]) -> String {
        let name = |index| self.model.output(index);
        match self.score {
            Score::Entropy => return "entropy()".to_owned(),
            Score::Norm => return "norm()".to_owned(),
            Score::Logit | Score::LogProbability => {}
        }
        if self.kind() == Outputs::StartAndEnd {
            let (start, end) = self.span(text, numbers);
            return slice(text, start, end);
        }
        match self.target {
            Target::Class(index) => tag(&name(index)).1.to_owned(),
            Target::Label(_) | Target::Contrast(..) | Target::AboveMean { .. } => {
                self.target.named(&name)
            }
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

/// The indices of the `count` largest numbers.
fn largest(numbers: &[f32], count: usize) -> Vec<usize> {
    let mut indices: Vec<usize> = (0..numbers.len()).collect();
    if count < indices.len() {
        indices.sort_by(|&a, &b| numbers[b].total_cmp(&numbers[a]));
        indices.truncate(count);
    }
    indices
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
    // Where a decoder reads both texts once more, the numbers are for the tokens of the source.
    for token in (0..numbers.len() / 2).filter(fits) {
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
