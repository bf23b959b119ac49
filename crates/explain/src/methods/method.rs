//! What every method does.

use relprop_transformer::TokenizedText;

use crate::runs::in_passes;
use crate::{ExplainError, Explainer, Target};

/// A way to tell how much each token of a text matters.
///
/// The same text gets the same relevance, alone or among others. Several threads may ask it at once.
pub trait Method: Send + Sync {
    /// Its name in tables.
    fn name(&self) -> &str;

    /// The relevance of every token of each text for the logit of `label`, special tokens included.
    ///
    /// # Errors
    ///
    /// If the model cannot be explained in this way.
    fn relevance(
        &self,
        texts: &[TokenizedText],
        label: usize,
    ) -> Result<Vec<Vec<f32>>, ExplainError>;
}

impl Method for Explainer<'_> {
    /// The name of the rule set.
    fn name(&self) -> &str {
        self.rules_name()
    }

    fn relevance(
        &self,
        texts: &[TokenizedText],
        label: usize,
    ) -> Result<Vec<Vec<f32>>, ExplainError> {
        let explainer = self.clone().target(Target::Label(label))?;
        in_passes(texts, 1, |texts| {
            let texts: Vec<TokenizedText> = texts.iter().copied().cloned().collect();
            let explanations = explainer.explain_batch(&texts)?;
            let relevance = explanations
                .iter()
                .map(|e| e.tokens.iter().map(|token| token.relevance).collect());
            Ok(relevance.collect())
        })
    }
}

/// The relevance of each text's tokens for the label at its place, one call a label.
pub fn relevance_by_label(
    method: &dyn Method,
    texts: &[&TokenizedText],
    labels: &[usize],
) -> Result<Vec<Vec<f32>>, ExplainError> {
    let mut relevance = vec![Vec::new(); texts.len()];
    let mut each = labels.to_vec();
    each.sort_unstable();
    each.dedup();
    for label in each {
        let places: Vec<usize> = (0..labels.len()).filter(|&i| labels[i] == label).collect();
        let texts = places.iter().map(|&place| texts[place].clone());
        let texts: Vec<TokenizedText> = texts.collect();
        for (place, found) in places.into_iter().zip(method.relevance(&texts, label)?) {
            relevance[place] = found;
        }
    }
    Ok(relevance)
}

/// A relevance that should sum to something known, and how far it is from it.
#[derive(Clone, Debug, PartialEq)]
pub struct Accounted {
    /// The relevance of every token.
    pub relevance: Vec<f32>,
    /// What it should sum to, minus what it sums to.
    pub error: f64,
}

/// Drops the errors.
pub(super) fn relevance_of(accounted: Vec<Accounted>) -> Vec<Vec<f32>> {
    accounted.into_iter().map(|a| a.relevance).collect()
}
