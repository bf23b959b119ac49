//! The model's logits for changed versions of texts.

use std::collections::HashMap;

use crate::Case;
use relprop_checkpoints::Model;
use relprop_explain::batching::{batch, in_passes, logits_of};
use relprop_explain::{ExplainError, argmax};
use relprop_rules::Pass;
use relprop_transformer::{TokenizedText, Transformer};

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
    pub(crate) fn ask(&mut self, of: usize, version: TokenizedText) -> usize {
        let ids = version.tokens.iter().map(|token| token.id).collect();
        *self.known.entry((of, ids)).or_insert_with(|| {
            self.pending.push(version);
            self.logits.len() + self.pending.len() - 1
        })
    }

    /// The logits of a version that has been [answered](Versions::answer).
    pub(crate) fn logits(&self, place: usize) -> &[f32] {
        &self.logits[place]
    }

    /// Lets the model read the pending versions, in passes over versions of about the same length.
    /// After each pass `progress` gets the share that is done.
    pub(crate) fn answer(
        &mut self,
        transformer: &Transformer,
        mut progress: impl FnMut(f64),
    ) -> Result<(), ExplainError> {
        let texts = std::mem::take(&mut self.pending);
        let texts: Vec<&TokenizedText> = texts.iter().collect();
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
pub fn predictions(model: &Model, texts: &[&TokenizedText]) -> Result<Vec<usize>, ExplainError> {
    let mut versions = Versions::default();
    let places = texts
        .iter()
        .enumerate()
        .map(|(of, text)| versions.ask(of, (*text).clone()));
    let places: Vec<usize> = places.collect();
    versions.answer(&model.transformer, |_| {})?;
    let predictions = places.iter().map(|&place| argmax(versions.logits(place)));
    Ok(predictions.collect())
}

/// What the probability of the true label loses in each version of a text but the first, which is whole.
/// None where no probability follows from logits.
pub(crate) fn losses(case: &Case, logits: &[&[f32]]) -> Option<Vec<f64>> {
    let at = |logits: &[f32]| case.probabilities.at(logits, case.sample.label);
    let whole = at(logits[0])?;
    let losses = logits[1..].iter().map(|logits| Some(whole - at(logits)?));
    losses.collect()
}
