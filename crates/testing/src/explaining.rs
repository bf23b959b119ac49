//! Explainers in one line, and what is read off an explanation.

use std::sync::Arc;

use relprop_checkpoints::{Model, Truncation};
use relprop_explain::methods::{Method, Propagation, by_name};
use relprop_explain::{ExplainError, Explainer, Explanation, Place, Plan, Score};
use relprop_rules::{Registry, RuleSet};
use relprop_transformer::PaddingSide;

/// The model, shared by whoever explains it.
pub fn shared(model: &Model) -> Arc<Model> {
    Arc::new(model.clone())
}

/// Propagation by a preset, of the predicted label.
pub fn explainer(model: &Model, preset: &str) -> Explainer {
    let rules = RuleSet::preset(preset).unwrap();
    Explainer::new(&shared(model), &Plan::default().by_rules(rules)).unwrap()
}

/// The same as a method.
pub fn propagation(model: &Model, preset: &str) -> Propagation {
    let rules = RuleSet::preset(preset).unwrap();
    Propagation::new(&shared(model), &rules, &Registry::default()).unwrap()
}

/// The method called `name`.
pub fn method(name: &str, model: &Model, seed: u64) -> Result<Box<dyn Method>, ExplainError> {
    by_name(name, &shared(model), seed)
}

/// The same explainer, asked for something else.
pub trait Asked: Sized {
    /// With a plan that `change` changed.
    fn asked(self, change: impl FnOnce(&mut Plan)) -> Result<Self, ExplainError>;

    /// Read at `site`.
    fn at(self, site: &str) -> Result<Self, ExplainError> {
        self.asked(|plan| plan.at = Some(site.to_owned()))
    }

    /// Of the token at `position`.
    fn position(self, position: usize) -> Result<Self, ExplainError> {
        self.asked(|plan| plan.target.place = Some(Place::token(position)))
    }

    /// In the unit `score`.
    fn score(self, score: Score) -> Self {
        self.asked(|plan| plan.target.score = score).unwrap()
    }

    /// With long texts cut by `truncation`.
    fn truncation(self, truncation: Truncation) -> Self {
        self.asked(|plan| plan.truncation = truncation).unwrap()
    }

    /// With a ledger.
    fn with_ledger(self) -> Self {
        self.asked(|plan| plan.ledger = true).unwrap()
    }

    /// With blocks that run again in the backward pass.
    fn recompute(self) -> Self {
        self.asked(|plan| plan.recompute = true).unwrap()
    }

    /// With texts padded on `side`.
    fn padding(self, side: PaddingSide) -> Self;
}

impl Asked for Explainer {
    fn asked(self, change: impl FnOnce(&mut Plan)) -> Result<Self, ExplainError> {
        let mut plan = self.plan().clone();
        change(&mut plan);
        Self::new(self.model(), &plan)
    }

    fn padding(self, side: PaddingSide) -> Self {
        let (model, plan) = (self.model(), self.plan());
        let rules = plan.rule_set().unwrap();
        let mut propagation = Propagation::new(model, &rules, &Registry::default()).unwrap();
        if let Some(site) = &plan.at {
            propagation = propagation.at(site).unwrap();
        }
        Self::by(model, Arc::new(propagation.padding(side)), plan).unwrap()
    }
}

/// Explains `texts` in one batch.
pub fn explain_together(explainer: &Explainer, texts: &[&str]) -> Vec<Explanation> {
    let tokenized: Vec<_> = texts
        .iter()
        .map(|text| explainer.tokenize(text).unwrap())
        .collect();
    explainer.explain_batch(&tokenized).unwrap()
}

/// The relevance of every token.
pub fn relevance(explanation: &Explanation) -> Vec<f64> {
    explanation
        .tokens
        .iter()
        .map(|token| f64::from(token.relevance))
        .collect()
}

/// Every logit.
pub fn logits(explanation: &Explanation) -> Vec<f64> {
    explanation.logits.iter().copied().map(f64::from).collect()
}
