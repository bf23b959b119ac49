//! Relevance as explanations of texts.

use std::sync::Arc;

use rayon::prelude::*;
use relprop_checkpoints::{Model, TextError};
use relprop_rules::Registry;
use relprop_transformer::TokenizedText;

use crate::batching::Passes;
use crate::methods::{Method, Question};
use crate::run::Run;
use crate::{ExplainError, Explanation, Plan, Target};

/// Explains the decisions of one model as a [`Plan`] says.
///
/// What a text gets does not depend on the texts beside it. An explainer owns its share of the model: it can
/// be kept, cloned at no cost and asked by several threads.
#[derive(Clone, Debug)]
pub struct Explainer {
    pub(crate) model: Arc<Model>,
    pub(crate) method: Arc<dyn Method>,
    pub(crate) plan: Plan,
    pub(crate) run: Run,
}

impl Explainer {
    /// Explains `model` as `plan` says.
    ///
    /// # Errors
    ///
    /// Everything that can be refused is refused here: rules that do not fit the model, a site, a label
    /// or a method that it does not have, and what does not go together.
    pub fn new(model: &Arc<Model>, plan: &Plan) -> Result<Self, ExplainError> {
        Self::with_registry(model, plan, &Registry::default())
    }

    /// The same with rules that `registry` knows, one's own among them.
    ///
    /// # Errors
    ///
    /// As [`Explainer::new`].
    pub fn with_registry(
        model: &Arc<Model>,
        plan: &Plan,
        registry: &Registry,
    ) -> Result<Self, ExplainError> {
        plan.check(model)?;
        Self::by(model, plan.method(model, registry)?, plan)
    }

    /// The same by a method of one's own. Of `plan`, the target, its unit, the position and what is done
    /// to long texts count.
    ///
    /// # Errors
    ///
    /// If the model does not have the target or the position.
    pub fn by(
        model: &Arc<Model>,
        method: Arc<dyn Method>,
        plan: &Plan,
    ) -> Result<Self, ExplainError> {
        plan.check(model)?;
        Ok(Self {
            run: Run::new(model, method.as_ref()),
            model: Arc::clone(model),
            method,
            plan: plan.clone(),
        })
    }

    /// The same explainer, asked for another target.
    ///
    /// # Errors
    ///
    /// If the model does not have it, or the method does not explain it.
    pub fn target(&self, target: Target) -> Result<Self, ExplainError> {
        let plan = Plan {
            target,
            ..self.plan.clone()
        };
        Self::by(&self.model, Arc::clone(&self.method), &plan)
    }

    /// The model that is explained.
    pub fn model(&self) -> &Arc<Model> {
        &self.model
    }

    /// What was asked.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// How relevance is found.
    pub fn method(&self) -> &dyn Method {
        self.method.as_ref()
    }

    /// Splits a text into tokens as the model reads them.
    ///
    /// # Errors
    ///
    /// If it is empty, or too long and must not be cut.
    pub fn tokenize(&self, text: &str) -> Result<TokenizedText, TextError> {
        self.placed(self.model.tokenize(text, None, self.plan.truncation)?)
    }

    /// Writes a chat by the model's template, and splits it into tokens as the model reads them: a list of
    /// messages in JSON, or a text that a user says.
    ///
    /// # Errors
    ///
    /// As [`Model::tokenize_chat`], and [`Explainer::tokenize`].
    pub fn tokenize_chat(&self, text: &str) -> Result<TokenizedText, TextError> {
        self.placed(self.model.tokenize_chat(text, self.plan.truncation)?)
    }

    /// A text that is asked at the plan's position.
    fn placed(&self, mut text: TokenizedText) -> Result<TokenizedText, TextError> {
        if let Some(position) = self.plan.position {
            let tokens = text.tokens.len();
            if position >= tokens {
                return Err(TextError::Position { position, tokens });
            }
            text.position = Some(position);
        }
        Ok(text)
    }

    /// Splits a pair of texts into tokens as the model reads them.
    ///
    /// # Errors
    ///
    /// As [`Explainer::tokenize`], and if the model does not read pairs.
    pub fn tokenize_pair(&self, first: &str, second: &str) -> Result<TokenizedText, TextError> {
        (self.model).tokenize(first, Some(second), self.plan.truncation)
    }

    /// Explains one text.
    ///
    /// # Errors
    ///
    /// If it is empty, or too long and must not be cut, or [`ExplainError::Device`].
    pub fn explain(&self, text: &str) -> Result<Explanation, ExplainError> {
        let tokenized = self.tokenize(text)?;
        Ok(self.explain_batch(&[tokenized])?.remove(0))
    }

    /// Explains any number of [tokenized](Explainer::tokenize) texts, in passes that are bounded in memory.
    ///
    /// # Errors
    ///
    /// [`ExplainError::Device`] if the device fails on a single text.
    pub fn explain_batch(&self, texts: &[TokenizedText]) -> Result<Vec<Explanation>, ExplainError> {
        let texts: Vec<_> = texts.iter().collect();
        self.explain_in(&mut Passes::default(), &texts, |_| ())
    }

    /// The same in `passes` of the caller, who can call the work off; `warn` is told where the device
    /// was asked for too much at once.
    ///
    /// # Errors
    ///
    /// As [`Explainer::explain_batch`], and [`ExplainError::Cancelled`].
    pub fn explain_in(
        &self,
        passes: &mut Passes,
        texts: &[&TokenizedText],
        warn: impl Fn(&str),
    ) -> Result<Vec<Explanation>, ExplainError> {
        let question = self.question();
        let explain = |texts: &[&TokenizedText]| {
            let found = self.method.find(texts, &question)?.into_par_iter();
            let explanations = texts.par_iter().zip(found);
            Ok(explanations
                .map(|(text, found)| Explanation::new(self, text, found))
                .collect())
        };
        passes.run(texts, 1, explain, warn)
    }

    /// What the method is asked.
    pub(crate) fn question(&self) -> Question<'_> {
        Question {
            model: &self.model,
            target: self.plan.target,
            score: self.plan.score,
        }
    }
}
