//! Texts in passes through the model.

use relprop_explain::{ExplainError, Explainer, Explanation};
use relprop_transformer::TokenizedText;

use crate::halving::Halving;

/// How many tokens are explained in one pass, padding included, at most: what bounds memory.
const TOKENS: usize = 4096;

/// The explanations of each text, one from each explainer. Texts of about the same length share a
/// pass, so that little of it is padding.
pub(super) fn explain_texts(
    explainers: &[Explainer],
    texts: Vec<TokenizedText>,
    halving: &mut Halving,
    warn: impl Fn(&str),
) -> Result<Vec<Vec<Explanation>>, ExplainError> {
    let mut by_length: Vec<_> = texts.into_iter().enumerate().collect();
    by_length.sort_by_key(|(_, text)| text.tokens.len());
    let (places, texts): (Vec<_>, Vec<_>) = by_length.into_iter().unzip();
    let mut explained = Vec::with_capacity(texts.len());
    for pass in passes(&texts) {
        let explain = |texts: &[TokenizedText]| explain_pass(explainers, texts);
        explained.extend(halving.run(pass, explain, &warn)?);
    }
    let mut in_order = vec![Vec::new(); explained.len()];
    for (place, explanations) in places.into_iter().zip(explained) {
        in_order[place] = explanations;
    }
    Ok(in_order)
}

/// Cuts a batch into runs of texts that have no more than [`TOKENS`] tokens when padded.
fn passes(mut batch: &[TokenizedText]) -> Vec<&[TokenizedText]> {
    let mut passes = Vec::new();
    while !batch.is_empty() {
        let mut longest = 0;
        let fits = batch.iter().enumerate().take_while(|(index, text)| {
            longest = text.tokens.len().max(longest);
            *index == 0 || longest * (index + 1) <= TOKENS
        });
        let (pass, rest) = batch.split_at(fits.count());
        passes.push(pass);
        batch = rest;
    }
    passes
}

/// The explanations of each text, one from each explainer.
fn explain_pass(
    explainers: &[Explainer],
    texts: &[TokenizedText],
) -> Result<Vec<Vec<Explanation>>, ExplainError> {
    let mut by_text = vec![Vec::new(); texts.len()];
    for explainer in explainers {
        for (of_text, explanation) in by_text.iter_mut().zip(explainer.explain_batch(texts)?) {
            of_text.push(explanation);
        }
    }
    Ok(by_text)
}
