//! Whether all numbers of an explanation are finite.

use crate::{Comparison, Continuation, Explanation, Labelling, ZeroShot};

/// A number of an explanation that is NaN or infinite.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error(
    "{place} is {value}, which is no number; look for infinite weights in the model, or explain with a \
     rule set that keeps numbers finite"
)]
pub struct NotFinite {
    /// Which number it is: `the relevance of token 3 "warm"`.
    pub place: String,
    /// The number: NaN or an infinity.
    pub value: f64,
}

fn check(value: f64, place: &dyn Fn() -> String) -> Result<(), NotFinite> {
    match value.is_finite() {
        true => Ok(()),
        false => Err(NotFinite {
            place: place(),
            value,
        }),
    }
}

impl Continuation {
    /// Checks that every number is finite.
    ///
    /// # Errors
    ///
    /// [`NotFinite`] for the first probability, target or relevance that is NaN or infinite.
    pub fn finite(&self) -> Result<(), NotFinite> {
        for (at, step) in self.steps.iter().enumerate() {
            let new = || format!("new token {at} {:?}", step.target.label);
            check(step.probability.into(), &|| {
                format!("the probability of {}", new())
            })?;
            check(step.target.value.into(), &|| {
                format!("the target of {}", new())
            })?;
            for (before, &relevance) in step.relevance.iter().enumerate() {
                check(relevance.into(), &|| {
                    format!("the relevance of token {before} for {}", new())
                })?;
            }
        }
        Ok(())
    }
}

impl ZeroShot {
    /// Checks that every number is finite.
    ///
    /// # Errors
    ///
    /// [`NotFinite`] for the first number that is NaN or infinite.
    pub fn finite(&self) -> Result<(), NotFinite> {
        let mut candidates = self.candidates.iter();
        candidates.try_for_each(|candidate| candidate.explanation.finite())
    }
}

impl Comparison {
    /// Checks that every number is finite.
    ///
    /// # Errors
    ///
    /// [`NotFinite`] for the first number that is NaN or infinite.
    pub fn finite(&self) -> Result<(), NotFinite> {
        let texts = self.texts.iter().flat_map(|text| &text.explanation);
        let mut all = [&self.picture].into_iter().chain(texts);
        all.try_for_each(Explanation::finite)
    }
}

impl Labelling {
    /// Checks that every number is finite.
    ///
    /// # Errors
    ///
    /// [`NotFinite`] for the first logit, target or relevance that is NaN or infinite.
    pub fn finite(&self) -> Result<(), NotFinite> {
        for (at, token) in self.tokens.iter().enumerate() {
            for (label, &logit) in self.labels.iter().zip(&token.logits) {
                check(logit.into(), &|| {
                    format!("the logit of {label} at token {at} {:?}", token.text)
                })?;
            }
        }
        self.explanations().try_for_each(|part| part.finite())
    }
}

impl Explanation {
    /// Checks that every number is finite.
    ///
    /// # Errors
    ///
    /// [`NotFinite`] for the first logit, target or relevance that is NaN or infinite.
    pub fn finite(&self) -> Result<(), NotFinite> {
        for (at, &logit) in self.logits.iter().enumerate() {
            check(logit.into(), &|| format!("logit {at}"))?;
        }
        check(self.target.value.into(), &|| "the target".into())?;
        for (at, token) in self.tokens.iter().enumerate() {
            check(token.relevance.into(), &|| {
                format!("the relevance of token {at} {:?}", token.text)
            })?;
        }
        for (at, word) in self.words.iter().enumerate() {
            check(word.relevance.into(), &|| {
                format!("the relevance of word {at} {:?}", word.text)
            })?;
        }
        for (at, hop) in self.hops.iter().enumerate() {
            let numbers = [hop.target, hop.prompt, hop.answer, hop.kept, hop.absorbed];
            let relevance = hop.relevance.iter().map(|r| f64::from(*r));
            for number in numbers.into_iter().chain(relevance) {
                check(number, &|| format!("hop {at}"))?;
            }
        }
        let Some(ledger) = &self.ledger else {
            return Ok(());
        };
        for entry in &ledger.absorbed {
            check(entry.relevance, &|| format!("what {} absorbed", entry.site))?;
        }
        for layer in &ledger.layers {
            for &relevance in layer.tokens.iter().chain(&layer.heads) {
                check(relevance.into(), &|| {
                    format!("the relevance at {}", layer.site)
                })?;
            }
        }
        Ok(())
    }
}
