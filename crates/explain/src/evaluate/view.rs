//! Changed versions of a text, and what the model says to them.

use std::collections::HashMap;

use relprop_rules::Pass;
use relprop_transformer::{Model, TokenizedText, Transformer};

use crate::ExplainError;
use crate::runs::{batch, in_passes, logits_of};
use crate::target::argmax;

/// A version of a text: what became of the tokens that are marked `true`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum View {
    /// They are the unknown token.
    Hidden(Vec<bool>),
    /// They are gone.
    Removed(Vec<bool>),
}

impl View {
    /// The text itself.
    pub fn whole(text: &TokenizedText) -> Self {
        Self::Hidden(vec![false; text.tokens.len()])
    }

    /// The version of `text`, with `unknown` in the place of hidden tokens. A text of which nothing
    /// would be left is one unknown token: no model reads nothing.
    pub fn of(&self, text: &TokenizedText, unknown: u32) -> TokenizedText {
        let mut version = text.clone();
        match self {
            Self::Hidden(marks) => {
                let tokens = version.tokens.iter_mut().zip(marks);
                tokens.for_each(|(token, hidden)| {
                    if *hidden {
                        token.id = unknown;
                    }
                });
            }
            Self::Removed(marks) => {
                let mut kept = marks.iter().map(|removed| !removed);
                version.tokens.retain(|_| kept.next().unwrap_or(true));
                let mut kept = marks.iter().map(|removed| !removed);
                version.types.retain(|_| kept.next().unwrap_or(true));
                if version.tokens.is_empty() {
                    version.tokens.extend(text.tokens.first().cloned());
                    version.types.extend(text.types.first());
                    version
                        .tokens
                        .iter_mut()
                        .for_each(|token| token.id = unknown);
                }
            }
        }
        version
    }
}

/// The versions that were asked for, each once, and the logits of those that the model has read.
#[derive(Debug, Default)]
pub(crate) struct Versions {
    /// The place of each version, by text and token ids.
    known: HashMap<(usize, Vec<u32>), usize>,
    logits: Vec<Vec<f32>>,
    /// Those that the model has not read yet; their places come after those of `logits`.
    pending: Vec<TokenizedText>,
}

impl Versions {
    /// Asks for a version of the text with the number `of`; gives the place of its logits.
    pub(super) fn ask(&mut self, of: usize, version: TokenizedText) -> usize {
        let ids = version.tokens.iter().map(|token| token.id).collect();
        *self.known.entry((of, ids)).or_insert_with(|| {
            self.pending.push(version);
            self.logits.len() + self.pending.len() - 1
        })
    }

    /// The logits of a version that has been [answered](Versions::answer).
    pub(super) fn logits(&self, place: usize) -> &[f32] {
        &self.logits[place]
    }

    /// Lets the model read what is pending, in passes over versions of about the same length. After
    /// each pass `progress` is told which share is done.
    pub(super) fn answer(
        &mut self,
        transformer: &Transformer,
        mut progress: impl FnMut(f64),
    ) -> Result<(), ExplainError> {
        let texts = std::mem::take(&mut self.pending);
        let (mut done, all) = (0, texts.len() as f64);
        let mut logits = in_passes(&texts, 1, |texts| {
            let batch = batch(transformer, texts.iter().copied());
            let logits = logits_of(transformer, &batch, Pass::plain())?;
            done += texts.len();
            progress(done as f64 / all);
            Ok(logits)
        })?;
        self.logits.append(&mut logits);
        Ok(())
    }
}

/// The label that the model predicts for each text.
///
/// # Errors
///
/// If the device fails.
pub fn predictions(model: &Model, texts: &[TokenizedText]) -> Result<Vec<usize>, ExplainError> {
    let mut versions = Versions::default();
    let places = texts
        .iter()
        .enumerate()
        .map(|(of, text)| versions.ask(of, text.clone()));
    let places: Vec<usize> = places.collect();
    versions.answer(&model.transformer, |_| {})?;
    let predictions = places.iter().map(|&place| argmax(versions.logits(place)));
    Ok(predictions.collect())
}

/// The softmax of the logits, at one label.
pub(super) fn probability(logits: &[f32], label: usize) -> f64 {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let weight = |logit: f32| f64::from(logit - largest).exp();
    weight(logits[label]) / logits.iter().copied().map(weight).sum::<f64>()
}

/// What the probability of `label` loses in each version of a text but the first, which is whole.
pub(super) fn losses(logits: &[&[f32]], label: usize) -> Vec<f64> {
    let (whole, others) = (probability(logits[0], label), &logits[1..]);
    let losses = others
        .iter()
        .map(|logits| whole - probability(logits, label));
    losses.collect()
}
