//! What a front end asks a model of two towers, in words.

use std::sync::Arc;

use relprop_checkpoints::{Towers, Truncation};
use relprop_explain::{Compare, ExplainError, Plan, Scalar, Score};
use relprop_transformer::TokenizedText;
use serde::{Deserialize, Serialize};

use crate::request::{PREDICTED, other_method, scored};
use crate::{EngineError, NamedRules};

/// Everything that may be asked about pictures and texts, with names in the place of indices. In JSON its fields have
/// the names that those of a [`Request`](crate::Request) have.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct CompareRequest {
    /// The texts that each picture is compared with.
    pub texts: Vec<String>,
    /// Propagation, or none; no other method explains two towers.
    pub method: Option<String>,
    /// The rules of propagation; [`relprop_explain::DEFAULT_RULES`] if they are none.
    pub rules: Option<NamedRules>,
    /// The site of both towers at which relevance is read, or two with a comma between them: that of the tower for
    /// pictures first.
    pub at: Option<String>,
    /// Whether propagation accounts for the whole target.
    pub ledger: bool,
    /// Whether propagation runs every block again in the backward pass.
    pub recompute: bool,
    /// What is explained: one of the texts, by its name or its index, or the difference of two.
    pub target: String,
    /// The text that the target is compared with.
    pub against: Option<String>,
    /// How the target is measured, if it does not say so.
    pub score: Score,
    /// What is done to a text that is too long.
    pub truncation: Truncation,
    /// Whether pairs of patches and words have relevance as well.
    pub pairs: bool,
}

impl Default for CompareRequest {
    fn default() -> Self {
        Self {
            texts: Vec::new(),
            method: None,
            rules: None,
            at: None,
            ledger: false,
            recompute: false,
            target: PREDICTED.to_owned(),
            against: None,
            score: Score::default(),
            truncation: Truncation::default(),
            pairs: false,
        }
    }
}

impl CompareRequest {
    /// What is asked, of whichever towers. All that it needs of a model is known from the texts.
    ///
    /// # Errors
    ///
    /// If the target is none of the texts, two options exclude each other, or there are no such rules.
    pub fn plan(&self) -> Result<Plan, EngineError> {
        let target = Scalar::among(&self.texts, &self.target, self.against.as_deref());
        Ok(Plan {
            method: other_method(self.method.as_ref())?,
            rules: self.rules.as_ref().map(NamedRules::open).transpose()?,
            at: self.at.clone(),
            ledger: self.ledger,
            recompute: self.recompute,
            target: scored(target.map_err(ExplainError::from)?, self.score)?,
            truncation: self.truncation,
            ..Plan::default()
        })
    }

    /// What explains it.
    ///
    /// # Errors
    ///
    /// As [`plan`](Self::plan), and whatever [`Compare::new`] refuses.
    pub fn open(&self, towers: &Arc<Towers>) -> Result<Compare, EngineError> {
        let compare = Compare::new(towers, &self.plan()?)?;
        Ok(match self.pairs {
            true => compare.with_pairs(),
            false => compare,
        })
    }

    /// The texts as the tower for texts reads them.
    ///
    /// # Errors
    ///
    /// [`EngineError::BadText`] for the first that it cannot read.
    pub fn read(&self, compare: &Compare) -> Result<Vec<TokenizedText>, EngineError> {
        let read = (1..).zip(&self.texts).map(|(number, text)| {
            compare
                .tokenize(text)
                .map_err(|error| EngineError::BadText {
                    text: Some(number),
                    reason: error.to_string(),
                })
        });
        read.collect()
    }
}

#[cfg(test)]
mod tests {
    use relprop_explain::Target;
    use rstest::rstest;

    use super::*;

    fn request() -> CompareRequest {
        CompareRequest {
            texts: ["a dog", "a cat"].map(str::to_owned).into(),
            ..CompareRequest::default()
        }
    }

    #[rstest]
    #[case("predicted", None, Target::Predicted)]
    #[case("a cat", None, Target::Label(1))]
    #[case("1", None, Target::Label(1))]
    #[case("a cat", Some("0"), Target::Contrast(1, 0))]
    fn a_target_is_one_of_the_texts_or_two(
        #[case] target: &str,
        #[case] against: Option<&str>,
        #[case] expected: Target,
    ) {
        let request = CompareRequest {
            target: target.to_owned(),
            against: against.map(str::to_owned),
            method: Some("lrp".to_owned()),
            score: Score::LogProbability,
            ..request()
        };
        let plan = request.plan().unwrap();
        assert_eq!(plan.target.of, expected);
        assert_eq!(plan.target.score, Score::LogProbability);
        assert_eq!(plan.method, None, "propagation is no method beside it");
    }

    #[rstest]
    #[case(CompareRequest { target: "a cow".to_owned(), ..request() }, "a cow")]
    #[case(CompareRequest { target: "entropy()".to_owned(), score: Score::LogProbability, ..request() }, "`score`")]
    #[case(CompareRequest { rules: Some(NamedRules::Name("ahln".to_owned())), ..request() }, "ahln")]
    #[case(CompareRequest { method: Some("mine.toml".to_owned()), ..request() }, "mine.toml")]
    fn what_cannot_be_asked_is_named(#[case] request: CompareRequest, #[case] named: &str) {
        let error = request.plan().unwrap_err().to_string();
        assert!(error.contains(named), "{error}");
    }
}
