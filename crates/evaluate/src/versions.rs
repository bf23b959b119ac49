//! The model's logits for changed versions of texts.

use std::collections::HashMap;

use crate::Case;
use relprop_checkpoints::Model;
use relprop_explain::batching::{in_passes, logits, token, unknown_token};
use relprop_explain::{ExplainError, argmax};
use relprop_transformer::{TokenizedText, Transformer};

/// The versions that were asked for, each once, and the logits of those that the model has read.
#[derive(Debug, Default)]
pub(crate) struct Versions {
    /// The place of each version, by text, token ids and the tokens that it asks.
    known: HashMap<(usize, Vec<u32>, Vec<usize>), usize>,
    logits: Vec<Vec<f32>>,
    /// Those that the model has not read yet; their places come after those of `logits`.
    pending: Vec<TokenizedText>,
}

impl Versions {
    /// Asks for a version of the text with the number `of`; gives the place of its logits.
    pub(crate) fn ask(&mut self, of: usize, version: TokenizedText) -> usize {
        let ids = version.tokens.iter().map(|token| token.id).collect();
        let asked = version.asked.clone();
        *self.known.entry((of, ids, asked)).or_insert_with(|| {
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
        let mut found = in_passes(&texts, 1, |texts| {
            let found = logits(transformer, texts)?;
            done += texts.len();
            progress(done as f64 / all);
            Ok(found)
        })?;
        self.logits.append(&mut found);
        Ok(())
    }
}

/// The id of the token that hides others: the [unknown token](relprop_explain::batching::unknown_token), or where
/// a vocabulary writes any text and has none, the one for padding or for the end of a text.
///
/// # Errors
///
/// [`ExplainError::NoToken`] if the vocabulary has none of them.
pub fn hiding_token(model: &Model) -> Result<u32, ExplainError> {
    let names = [
        "[PAD]",
        "<pad>",
        "<|pad|>",
        "<|endoftext|>",
        "<|end_of_text|>",
        "</s>",
    ];
    unknown_token(model).or_else(|_| token(model, &names))
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

/// What the [response](Case::response) loses in each version of a text but the first, which is whole.
/// None where no probability follows from logits.
pub(crate) fn losses(case: &Case, logits: &[&[f32]]) -> Option<Vec<f64>> {
    let whole = case.response(logits[0])?;
    let losses = logits[1..].iter();
    let losses = losses.map(|logits| Some(whole - case.response(logits)?));
    losses.collect()
}
