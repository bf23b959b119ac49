//! What is asked of a model.

use std::sync::Arc;

use relprop_checkpoints::{Input, Model, TextError, Truncation};
use relprop_rules::{Registry, RuleSet};
use relprop_transformer::Head;
use serde::{Deserialize, Serialize};

use crate::methods::{Method, Propagation, by_name};
use crate::{ExplainError, PropagationPart, Scalar, Score, Segmentation, Target};

/// The name of relevance propagation among the methods.
pub const LRP: &str = "lrp";
/// The rule set unless another is asked for: the method of Ali et al. 2022.
pub const DEFAULT_RULES: &str = "ah-ln";
/// The site at which relevance is read unless another is asked for: the input of the first block.
pub const DEFAULT_SITE: &str = "blocks";

/// What is asked: everything besides the model that decides what the explanation of a text says.
/// Two equal plans give the same explanations.
///
/// The default explains the predicted label's logit by the method of the paper. An
/// [`Explainer`](crate::Explainer) is made from a plan, and checks that the model has everything it
/// asks for.
///
/// ```
/// use relprop_explain::{Plan, Target};
/// use relprop_rules::RuleSet;
///
/// let plan = Plan {
///     rules: Some(RuleSet::preset("attn-lrp")?),
///     target: Target::Contrast(1, 0).into(),
///     ledger: true,
///     ..Plan::default()
/// };
/// assert_eq!(plan.title(), "attn-lrp");
/// # Ok::<(), relprop_rules::RuleError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Plan {
    /// What is explained. Only propagation explains another than a logit.
    pub target: Scalar,
    /// How relevance is obtained, if not by propagation: one of the [methods](crate::methods) by its name.
    pub method: Option<String>,
    /// The rules of propagation; [`DEFAULT_RULES`] if none are given.
    pub rules: Option<RuleSet>,
    /// The site at which propagation reads relevance; [`DEFAULT_SITE`] if none is given.
    pub at: Option<String>,
    /// How often the relevance that lands on earlier text of an answer is passed on to what that text rests
    /// on, at most: see [`Hop`](crate::Hop). Each hop takes a pass with a ledger.
    pub hops: usize,
    /// Whether propagation accounts for the whole target: see [`Ledger`](crate::Ledger).
    pub ledger: bool,
    /// Whether propagation runs every block again in the backward pass, which takes less memory and
    /// more time.
    pub recompute: bool,
    /// How texts are cut into segments, whose relevance is gathered.
    pub segments: Option<Segmentation>,
    /// What is done to a text that is too long.
    pub truncation: Truncation,
    /// The seed of random numbers, if the method draws any.
    pub seed: u64,
}

impl Plan {
    /// A title that tells its explanations from others of a text: the name of the rule set, or of
    /// the method.
    pub fn title(&self) -> &str {
        match (&self.method, &self.rules) {
            (Some(method), _) => method,
            (None, Some(rules)) => &rules.name,
            (None, None) => DEFAULT_RULES,
        }
    }

    /// The same plan with propagation under other rules.
    #[must_use]
    pub fn by_rules(&self, rules: RuleSet) -> Self {
        Self {
            method: None,
            rules: Some(rules),
            ledger: false,
            hops: 0,
            ..self.clone()
        }
    }

    /// The rule set that propagation goes by.
    ///
    /// # Errors
    ///
    /// If the default preset cannot be read; it always can.
    pub fn rule_set(&self) -> Result<RuleSet, ExplainError> {
        match &self.rules {
            Some(rules) => Ok(rules.clone()),
            None => Ok(RuleSet::preset(DEFAULT_RULES)?),
        }
    }

    /// Refuses options that exclude each other, and whatever the model does not have.
    pub(crate) fn check(&self, model: &Model) -> Result<(), ExplainError> {
        self.target.check(model)?;
        self.check_windows(model)?;
        if self.segments.is_some() && matches!(model.input, Input::Pictures(_)) {
            return Err(TextError::Pictures.into());
        }
        let writes = matches!(model.transformer.config().head, Head::NextToken { .. });
        if self.hops > 0 && !(writes && self.target.of.is_given()) {
            return Err(ExplainError::Hops);
        }
        let Some(method) = &self.method else {
            return Ok(());
        };
        if RuleSet::presets().any(|preset| preset == method) {
            return Err(ExplainError::RulesAsMethod(method.clone()));
        }
        let given = [
            (PropagationPart::Rules, self.rules.is_some()),
            (PropagationPart::Site, self.at.is_some()),
            (PropagationPart::Ledger, self.ledger),
            (PropagationPart::Hops, self.hops > 0),
            (PropagationPart::Recompute, self.recompute),
        ];
        only_propagation(&given, method)
    }

    /// Refuses a target that `method` does not explain.
    pub(crate) fn check_target(&self, method: &dyn Method) -> Result<(), ExplainError> {
        if method.takes_any_target() {
            return Ok(());
        }
        let is_difference = matches!(
            self.target.of,
            Target::Contrast(..) | Target::AboveMean { .. }
        );
        let given = [
            (PropagationPart::Contrast, is_difference),
            (PropagationPart::Score, self.target.score != Score::Logit),
        ];
        only_propagation(&given, method.name())
    }

    /// The method that finds relevance, ready for `model`.
    pub(crate) fn method(
        &self,
        model: &Arc<Model>,
        registry: &Registry,
    ) -> Result<Arc<dyn Method>, ExplainError> {
        if let Some(name) = &self.method {
            return by_name(name, model, self.seed).map(Arc::from);
        }
        let mut propagation = Propagation::new(model, &self.rule_set()?, registry)?;
        if let Some(site) = &self.at {
            propagation = propagation.at(site)?;
        }
        if self.recompute {
            propagation = propagation.recompute()?;
        }
        if self.ledger || self.hops > 0 {
            propagation = propagation.with_ledger()?;
        }
        Ok(Arc::new(propagation))
    }
}

/// Refuses the first part that is given.
fn only_propagation(parts: &[(PropagationPart, bool)], method: &str) -> Result<(), ExplainError> {
    match parts.iter().find(|(_, given)| *given) {
        Some((part, _)) => Err(ExplainError::OnlyPropagation {
            part: *part,
            method: method.to_owned(),
        }),
        None => Ok(()),
    }
}
