//! The rules that rule sets can name.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::DeserializeOwned;

use super::{Assignment, erased::ErasedRule};
use crate::rules as rule;
use crate::{Operation, Rule, RuleError, Site, operations as op};

/// Builds a rule from its parameters, or says what is wrong with them.
type Build = Box<dyn Fn(&toml::Table) -> Result<ErasedRule, String> + Send + Sync>;

/// The rules that rule sets can name, for each operation.
///
/// [`Registry::default`] holds relprop's own. A program adds its own rules under its own names with
/// [`Registry::register`]; see `examples/custom_rule.rs`.
pub struct Registry {
    operations: BTreeMap<&'static str, BTreeMap<String, Build>>,
}

impl Registry {
    /// Lets rule sets use the rule `R` on the operation `O` under `name`.
    ///
    /// The rule's fields are its parameters in a rule set's TOML. A rule of the same name is
    /// replaced.
    pub fn register<O: Operation, R: Rule<O> + DeserializeOwned>(&mut self, name: &str) {
        let build: Build = Box::new(|parameters| {
            let rule: R = parameters.clone().try_into().map_err(|e| e.to_string())?;
            Ok(ErasedRule::new(rule))
        });
        self.operations
            .entry(O::NAME)
            .or_default()
            .insert(name.to_owned(), build);
    }

    /// The names of the operations.
    pub fn operations(&self) -> impl Iterator<Item = &'static str> {
        self.operations.keys().copied()
    }

    /// The names of the rules that `operation` has.
    pub fn rules(&self, operation: &str) -> impl Iterator<Item = &str> {
        self.operations
            .get(operation)
            .into_iter()
            .flat_map(|rules| rules.keys().map(String::as_str))
    }

    /// The rule of an assignment: the value that it holds, or the one that its text describes.
    pub(super) fn build(
        &self,
        assignment: &Assignment,
        operation: &'static str,
        site: &Site,
    ) -> Result<ErasedRule, RuleError> {
        if let Some(value) = &assignment.value {
            return Ok(value.clone());
        }
        let rule = &assignment.rule;
        let build = self
            .operations
            .get(operation)
            .and_then(|rules| rules.get(rule));
        let build = build.ok_or_else(|| RuleError::UnknownRule {
            rule: rule.clone(),
            operation,
            site: site.name.clone(),
            known: self.rules(operation).map(str::to_owned).collect(),
        })?;
        build(&assignment.parameters).map_err(|message| RuleError::Parameters {
            rule: rule.clone(),
            site: site.name.clone(),
            message: message.trim().to_owned(),
        })
    }
}

impl Default for Registry {
    fn default() -> Self {
        let mut registry = Self {
            operations: BTreeMap::new(),
        };
        registry.register::<op::Activation, rule::Gradient>("gradient");
        registry.register::<op::Activation, rule::Identity>("identity");
        registry.register::<op::AttentionBias, rule::Gradient>("gradient");
        registry.register::<op::AttentionMix, rule::Gradient>("gradient");
        registry.register::<op::AttentionMix, rule::Half>("half");
        registry.register::<op::AttentionScores, rule::Gradient>("gradient");
        registry.register::<op::AttentionScores, rule::Half>("half");
        registry.register::<op::AttentionWeights, rule::Gradient>("gradient");
        registry.register::<op::AttentionWeights, rule::DetachWeights>("detach");
        registry.register::<op::EmbeddingSum, rule::Gradient>("gradient");
        registry.register::<op::ExpertProduct, rule::Gradient>("gradient");
        registry.register::<op::ExpertProduct, rule::DetachRouter>("detach");
        registry.register::<op::ExpertProduct, rule::Half>("half");
        registry.register::<op::Gate, rule::Gradient>("gradient");
        registry.register::<op::Gate, rule::DetachGate>("detach");
        registry.register::<op::Gate, rule::Half>("half");
        registry.register::<op::Linear, rule::Gradient>("gradient");
        registry.register::<op::Linear, rule::AlphaBeta>("alpha-beta");
        registry.register::<op::Linear, rule::Epsilon>("epsilon");
        registry.register::<op::Linear, rule::Flat>("flat");
        registry.register::<op::Linear, rule::Gamma>("gamma");
        registry.register::<op::Linear, rule::GammaPositive>("gamma-positive");
        registry.register::<op::Linear, rule::WSquared>("w-squared");
        registry.register::<op::Linear, rule::ZPlus>("z-plus");
        registry.register::<op::Norm, rule::Gradient>("gradient");
        registry.register::<op::Norm, rule::DetachMoments>("detach-moments");
        registry.register::<op::Norm, rule::DetachScale>("detach-scale");
        registry.register::<op::Pooling, rule::Gradient>("gradient");
        registry.register::<op::PositionScores, rule::Gradient>("gradient");
        registry.register::<op::Residual, rule::Gradient>("gradient");
        registry.register::<op::Residual, rule::Ratio>("ratio");
        registry.register::<op::Residual, rule::Symmetric>("symmetric");
        registry.register::<op::RouterWeights, rule::Gradient>("gradient");
        registry.register::<op::Rotary, rule::Gradient>("gradient");
        registry
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self
            .operations
            .iter()
            .map(|(operation, rules)| (operation, rules.keys()));
        f.debug_map()
            .entries(names.map(|(o, rules)| (o, rules.collect::<Vec<_>>())))
            .finish()
    }
}
