//! What every method does.

use std::fmt::Debug;

use relprop_transformer::{Outputs, TokenizedText};

use crate::batching::logits;
use crate::question::Question;
use crate::{ExplainError, Ledger, PropagationPart, Score, SiteRelevance};

/// A way to tell how much each token of a text matters.
///
/// The same text gets the same relevance, alone or among others. Several threads may ask it at once.
pub trait Method: Debug + Send + Sync {
    /// Its name in tables.
    fn name(&self) -> &str;

    /// The relevance of every token of each text for the logit of `label`, special tokens included.
    /// There may be any number of texts.
    ///
    /// # Errors
    ///
    /// If the model cannot be explained in this way.
    fn relevance(
        &self,
        texts: &[&TokenizedText],
        label: usize,
    ) -> Result<Vec<Vec<f32>>, ExplainError>;

    /// What it finds for a question, in one pass over all texts. The default asks
    /// [`Method::relevance`] for the one logit that the target names in each text.
    ///
    /// # Errors
    ///
    /// [`ExplainError::OnlyPropagation`] if the target is no single logit, and as
    /// [`Method::relevance`].
    fn find(
        &self,
        texts: &[&TokenizedText],
        question: &Question,
    ) -> Result<Vec<Finding>, ExplainError> {
        question.label_by_label(self.name(), texts, &|texts, label| {
            self.relevance(texts, label)
        })
    }

    /// Whether it explains any target: a difference of logits, and what is no logit. The default explains single
    /// logits alone.
    fn takes_any_target(&self) -> bool {
        false
    }

    /// The relevance of every number at one site of the model, for one text. Only propagation can tell.
    ///
    /// # Errors
    ///
    /// [`ExplainError::OnlyPropagation`] unless it is propagation, and if there is no such site.
    fn read(
        &self,
        _site: &str,
        _text: &TokenizedText,
        _question: &Question,
    ) -> Result<SiteRelevance, ExplainError> {
        Err(ExplainError::OnlyPropagation {
            part: PropagationPart::Site,
            method: self.name().to_owned(),
        })
    }

    /// The name of its rule set; empty if it has none.
    fn rules(&self) -> &str {
        ""
    }

    /// The site at which it reads relevance; empty if it reads at none.
    fn site(&self) -> &str {
        ""
    }

    /// Why there is next to no relevance where it reads, and where there is, if that is known beforehand.
    fn warning(&self) -> Option<String> {
        None
    }
}

/// Gives the relevance of every token of each text for the logit of one label.
type Ask<'a> = dyn Fn(&[&TokenizedText], usize) -> Result<Vec<Vec<f32>>, ExplainError> + 'a;

/// What a method found for one text.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// The numbers that the model's head gives: logits. Of several answers, those of one after another.
    pub logits: Vec<f32>,
    /// The value of the target.
    pub value: f64,
    /// The relevance of every token.
    pub relevance: Vec<f32>,
    /// The account of the target, if one was kept.
    pub ledger: Option<Ledger>,
}

impl Question<'_> {
    /// Answers by a method that knows the relevance for single logits: `ask` gives it.
    fn label_by_label(
        &self,
        method: &str,
        texts: &[&TokenizedText],
        ask: &Ask,
    ) -> Result<Vec<Finding>, ExplainError> {
        let only = |part| ExplainError::OnlyPropagation {
            part,
            method: method.to_owned(),
        };
        if self.score != Score::Logit {
            return Err(only(PropagationPart::Score));
        }
        let config = self.model.transformer.config();
        if !matches!(config.head.outputs(), Outputs::Labels | Outputs::Vocabulary) {
            return Err(only(PropagationPart::Head));
        }
        let logits = logits(&self.model.transformer, texts)?;
        let labels = texts.iter().zip(&logits);
        let labels: Option<Vec<usize>> = labels
            .map(|(text, numbers)| self.single(text, numbers))
            .collect();
        let labels = labels.ok_or_else(|| only(PropagationPart::Contrast))?;
        let relevance = by_label(texts, &labels, ask)?;
        let found = texts.iter().zip(logits).zip(relevance);
        let found = found.map(|((text, logits), relevance)| Finding {
            value: self.scored(text, &logits).value,
            logits,
            relevance,
            ledger: None,
        });
        Ok(found.collect())
    }
}

/// The relevance of each text's tokens for the label at the same index, with one call for each
/// label.
///
/// # Errors
///
/// As [`Method::relevance`].
pub fn relevance_by_label(
    method: &dyn Method,
    texts: &[&TokenizedText],
    labels: &[usize],
) -> Result<Vec<Vec<f32>>, ExplainError> {
    by_label(texts, labels, &|texts, label| {
        method.relevance(texts, label)
    })
}

fn by_label(
    texts: &[&TokenizedText],
    labels: &[usize],
    ask: &Ask,
) -> Result<Vec<Vec<f32>>, ExplainError> {
    let mut relevance = vec![Vec::new(); texts.len()];
    let mut each = labels.to_vec();
    each.sort_unstable();
    each.dedup();
    for label in each {
        let places: Vec<usize> = (0..labels.len()).filter(|&i| labels[i] == label).collect();
        let of_label: Vec<&TokenizedText> = places.iter().map(|&place| texts[place]).collect();
        for (place, found) in places.into_iter().zip(ask(&of_label, label)?) {
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
