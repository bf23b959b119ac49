//! Turns what a method found into an explanation.

use relprop_transformer::{AnswersAt, Outputs, TokenizedText, probability};

use crate::methods::Finding;
use crate::numbers::argmax;
use crate::question::{Question, best_span, slice};
use crate::words::words;
use crate::{
    Answer, Explainer, Explanation, Part, PartName, PictureInfo, SCHEMA, Subject, TokenRelevance,
};

/// How many of a language model's logits are kept.
const TOP_LOGITS: usize = 10;

impl Explanation {
    /// The explanation of `text`, from what the method of `explainer` found.
    pub(crate) fn new(explainer: &Explainer, text: &TokenizedText, found: Finding) -> Self {
        let Explainer { model, run, .. } = explainer;
        let (logits, relevance) = (&found.logits[..], &found.relevance[..]);
        let question = explainer.question();
        let config = model.transformer.config();
        let head = config.head;
        let Said {
            labels,
            shown,
            prediction,
            probability,
            answer,
        } = Said::new(&question, text, logits);
        Self {
            schema: SCHEMA.to_owned(),
            text: text.text.clone(),
            subject: subject(text),
            method: run.method.clone(),
            rules: run.rules.clone(),
            at: run.at.clone(),
            model: run.model.clone(),
            device: run.device.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            logits: shown,
            labels,
            prediction,
            probability,
            probabilities: config.probabilities(),
            answer,
            position: match head.answers_at() {
                AnswersAt::Last if head.outputs() == Outputs::Vocabulary => Some(text.last()),
                _ => None,
            },
            target: question.named(text, &found),
            tokens: tokens(text, relevance),
            parts: parts(text, relevance),
            words: match text.picture() {
                None => words(text, relevance),
                Some(_) => Vec::new(),
            },
            segments: explainer.segments(text, relevance),
            dropped_tokens: text.dropped,
            dropped_from: (text.dropped > 0).then(|| model.cuts_from()),
            windows: 0,
            hops: Vec::new(),
            ledger: found.ledger,
        }
    }
}

/// What an explanation shows of the numbers that the head gives.
struct Said {
    labels: Vec<String>,
    /// The number of each of the labels.
    shown: Vec<f32>,
    prediction: String,
    probability: Option<f32>,
    answer: Option<Answer>,
}

impl Said {
    fn new(question: &Question, text: &TokenizedText, numbers: &[f32]) -> Self {
        let (model, config) = (question.model, question.model.transformer.config());
        let name = |index| model.output(index);
        // Of several tokens that are asked, the first one speaks.
        let numbers_of = |answer: usize| {
            let outputs = config.logits();
            &numbers[answer * outputs..(answer + 1) * outputs]
        };
        let all = |numbers: &[f32]| Self {
            labels: (0..numbers.len()).map(name).collect(),
            shown: numbers.to_vec(),
            prediction: name(argmax(numbers)),
            probability: None,
            answer: None,
        };
        match config.head.outputs() {
            Outputs::Labels => all(numbers),
            Outputs::TokenLabels => all(numbers_of(text.asked.first().copied().unwrap_or(0))),
            Outputs::Vector => Self {
                labels: Vec::new(),
                prediction: String::new(),
                ..all(&[0.0])
            },
            Outputs::Vocabulary => {
                let numbers = numbers_of(0);
                let best = argmax(numbers);
                let shown = likeliest(numbers, &question.shown(text));
                Self {
                    labels: shown.iter().map(|&index| name(index)).collect(),
                    shown: shown.iter().map(|&index| numbers[index]).collect(),
                    prediction: name(best),
                    probability: Some(probability(numbers, best) as f32),
                    answer: None,
                }
            }
            Outputs::StartAndEnd => {
                let (start, end) = best_span(text, numbers);
                let [starts, ends] = [0, 1].map(|i| {
                    numbers
                        .iter()
                        .skip(i)
                        .step_by(2)
                        .copied()
                        .collect::<Vec<_>>()
                });
                let (first, last) = question.span(text, numbers);
                Self {
                    labels: vec!["start".to_owned(), "end".to_owned()],
                    shown: vec![starts[first], ends[last]],
                    prediction: slice(text, start, end),
                    probability: None,
                    answer: Some(Answer {
                        text: slice(text, first, last),
                        tokens: [first, last],
                        start_logits: starts,
                        end_logits: ends,
                    }),
                }
            }
        }
    }
}

/// What the text is: a picture, with its sizes, or a text.
pub(crate) fn subject(text: &TokenizedText) -> Subject {
    let Some(picture) = text.picture() else {
        return Subject::TEXT;
    };
    let ([width, height], [rows, columns]) = (picture.size(), picture.grid());
    let picture = PictureInfo {
        width,
        height,
        rows,
        columns,
    };
    Subject::Picture { picture }
}

/// The source and the output, if the text has both.
fn parts(text: &TokenizedText, relevance: &[f32]) -> Vec<Part> {
    let source = text.source;
    if source == 0 {
        return Vec::new();
    }
    let part = |name, tokens: [usize; 2]| Part {
        name,
        tokens,
        relevance: relevance[tokens[0]..tokens[1]].iter().sum(),
    };
    vec![
        part(PartName::Source, [0, source]),
        part(PartName::Output, [source, text.tokens.len()]),
    ]
}

/// The relevance of each token; of a patch, with its place in the picture.
pub(crate) fn tokens(text: &TokenizedText, relevance: &[f32]) -> Vec<TokenRelevance> {
    let tokens = text.tokens.iter().zip(relevance);
    let tokens = tokens.map(|(token, relevance)| {
        let found = TokenRelevance::new(token, *relevance);
        match (text.picture(), token.word) {
            (Some(picture), Some(patch)) => {
                let [_, columns] = picture.grid();
                let patch = patch as usize;
                TokenRelevance {
                    text: format!("{},{}", patch / columns, patch % columns),
                    area: Some(picture.area(patch)),
                    ..found
                }
            }
            _ => found,
        }
    });
    tokens.collect()
}

/// The indices of the largest logits and of those of the target, the largest first.
fn likeliest(logits: &[f32], of_target: &[usize]) -> Vec<usize> {
    let mut indices: Vec<usize> = (0..logits.len()).collect();
    indices.sort_by(|&a, &b| logits[b].total_cmp(&logits[a]));
    let places = indices.into_iter().enumerate();
    let shown = places.filter(|&(place, index)| place < TOP_LOGITS || of_target.contains(&index));
    shown.map(|(_, index)| index).collect()
}
