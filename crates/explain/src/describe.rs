//! Turns what a method found into an explanation.

use relprop_transformer::{AnswersAt, Outputs, TokenizedText};

use crate::methods::Finding;
use crate::numbers::argmax;
use crate::words::words;
use crate::{Explainer, Explanation, PictureInfo, SCHEMA, TokenRelevance};

/// How many of a language model's logits are kept.
const TOP_LOGITS: usize = 10;

impl Explanation {
    /// The explanation of `text`, from what the method of `explainer` found.
    pub(crate) fn new(explainer: &Explainer, text: &TokenizedText, found: Finding) -> Self {
        let Explainer { model, run, .. } = explainer;
        let (logits, relevance) = (&found.logits[..], &found.relevance[..]);
        let name = |index| model.output(index);
        let weights = explainer.plan.target.weights(logits);
        let head = model.transformer.config().head;
        let (shown, probability) = match head.outputs() {
            Outputs::Labels => ((0..logits.len()).collect(), None),
            Outputs::Vocabulary => {
                let probability = head.probabilities().at(logits, argmax(logits));
                (likeliest(logits, &weights), Some(probability as f32))
            }
        };
        Self {
            schema: SCHEMA.to_owned(),
            text: text.text.clone(),
            picture: text.picture().map(|picture| {
                let ([width, height], [rows, columns]) = (picture.size(), picture.grid());
                PictureInfo {
                    width,
                    height,
                    rows,
                    columns,
                }
            }),
            method: run.method.clone(),
            rules: run.rules.clone(),
            at: run.at.clone(),
            model: run.model.clone(),
            device: run.device.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            logits: shown.iter().map(|&index| logits[index]).collect(),
            labels: shown.iter().map(|&index| name(index)).collect(),
            prediction: name(argmax(logits)),
            probability,
            position: match head.answers_at() {
                AnswersAt::First => None,
                AnswersAt::Last => Some(text.last()),
            },
            target: explainer.question().value(logits),
            tokens: tokens(text, relevance),
            words: match text.picture() {
                None => words(text, relevance),
                Some(_) => Vec::new(),
            },
            dropped_tokens: text.dropped,
            ledger: found.ledger,
        }
    }
}

/// The relevance of each token; for a patch, with its place in the picture.
fn tokens(text: &TokenizedText, relevance: &[f32]) -> Vec<TokenRelevance> {
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

/// The indices of the largest logits and of the logits that have a weight, the largest first.
fn likeliest(logits: &[f32], weights: &[f32]) -> Vec<usize> {
    let mut indices: Vec<usize> = (0..logits.len()).collect();
    indices.sort_by(|&a, &b| logits[b].total_cmp(&logits[a]));
    let places = indices.into_iter().enumerate();
    let shown = places.filter(|&(place, index)| place < TOP_LOGITS || weights[index] != 0.0);
    shown.map(|(_, index)| index).collect()
}
