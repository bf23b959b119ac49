//! Whether all numbers of an explanation are finite.

use crate::Explanation;

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

impl Explanation {
    /// Checks that every number is finite.
    ///
    /// # Errors
    ///
    /// [`NotFinite`] for the first logit, target or relevance that is NaN or infinite.
    pub fn finite(&self) -> Result<(), NotFinite> {
        let check = |value: f64, place: &dyn Fn() -> String| match value.is_finite() {
            true => Ok(()),
            false => Err(NotFinite {
                place: place(),
                value,
            }),
        };
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
