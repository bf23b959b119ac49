//! Which rule each site of a model gets.

mod bound;
mod erased;
mod pattern;
mod registry;

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

pub use bound::BoundRules;
pub use pattern::Pattern;
pub use registry::Registry;

use crate::{Operation, Rule, RuleError, Site, error::near_misses};
use erased::ErasedRule;

/// The presets' names and texts, in the order in which users are shown them.
const PRESETS: [(&str, &str); 12] = [
    (
        "gradient-x-input",
        include_str!("../presets/gradient-x-input.toml"),
    ),
    ("ah", include_str!("../presets/ah.toml")),
    ("ln", include_str!("../presets/ln.toml")),
    ("ah-ln", include_str!("../presets/ah-ln.toml")),
    ("ah-ln-gamma", include_str!("../presets/ah-ln-gamma.toml")),
    ("attn-lrp", include_str!("../presets/attn-lrp.toml")),
    ("libra", include_str!("../presets/libra.toml")),
    ("libra-gamma", include_str!("../presets/libra-gamma.toml")),
    ("epsilon", include_str!("../presets/epsilon.toml")),
    ("gamma", include_str!("../presets/gamma.toml")),
    ("alpha-beta", include_str!("../presets/alpha-beta.toml")),
    ("z-plus", include_str!("../presets/z-plus.toml")),
];

/// An ordered list of rules for sites. The first assignment that matches a site decides.
///
/// ```
/// use relprop_rules::{Assignment, RuleSet};
///
/// let rules = RuleSet::from_toml(r#"
///     name = "mine"
///
///     [[rules]]
///     site = "encoder.0-3.*"
///     operation = "attention-weights"
///     rule = "detach"
///
///     [[rules]]
///     rule = "gradient"
/// "#)?;
/// assert_eq!(rules.rules.len(), 2);
///
/// // A preset with one change before it.
/// let mut rules = RuleSet::preset("ah-ln")?;
/// rules.rules.insert(0, Assignment::new("encoder.0.attention.norm", "norm", "gradient"));
/// # Ok::<(), relprop_rules::RuleError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleSet {
    /// The name that explanations give.
    pub name: String,
    /// The assignments, in order.
    pub rules: Vec<Assignment>,
}

/// One line of a rule set: these sites, for this operation, get this rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Assignment {
    /// Which sites; all if absent.
    #[serde(default, skip_serializing_if = "Pattern::is_any")]
    pub site: Pattern,
    /// Which operation; any if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// Whether the model may have no such site, because it lacks a part. Without `optional` that is
    /// an error.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub optional: bool,
    /// The name of the rule.
    pub rule: String,
    /// The rule's parameters.
    #[serde(flatten)]
    pub parameters: toml::Table,
    /// The rule itself, if it was given as a Rust value and not by its name.
    #[serde(
        skip_deserializing,
        skip_serializing_if = "Option::is_none",
        serialize_with = "ErasedRule::refuse"
    )]
    value: Option<ErasedRule>,
}

impl Assignment {
    /// Gives `rule` (without parameters) to every `operation` at the sites that `site` matches.
    pub fn new(site: impl Into<Pattern>, operation: &str, rule: &str) -> Self {
        Self {
            site: site.into(),
            operation: Some(operation.to_owned()),
            optional: false,
            rule: rule.to_owned(),
            parameters: toml::Table::new(),
            value: None,
        }
    }

    fn matches(&self, site: &str, operation: &str) -> bool {
        self.operation
            .as_deref()
            .is_none_or(|wanted| wanted == operation)
            && self.site.matches(site)
    }
}

impl RuleSet {
    /// The names of the presets.
    pub fn presets() -> impl Iterator<Item = &'static str> {
        PRESETS.iter().map(|(name, _)| *name)
    }

    /// The preset called `name`, as the TOML text that it is written in.
    ///
    /// # Errors
    ///
    /// [`RuleError::UnknownPreset`].
    pub fn preset_toml(name: &str) -> Result<&'static str, RuleError> {
        PRESETS
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, text)| *text)
            .ok_or_else(|| RuleError::UnknownPreset {
                name: name.to_owned(),
                known: Self::presets().collect(),
            })
    }

    /// The preset called `name`.
    ///
    /// # Errors
    ///
    /// [`RuleError::UnknownPreset`].
    pub fn preset(name: &str) -> Result<Self, RuleError> {
        Self::from_toml(Self::preset_toml(name)?)
    }

    /// Puts a rule before all others, given as a Rust value: it need not be registered under a name.
    ///
    /// Every operation `O` at the sites that `site` matches gets it. If the rule serves several operations,
    /// say which one: `rules.first::<Norm>("*", Gradient {})`. The assignment is called by the name of the
    /// rule's type. The set keeps its own name, and it can no longer be written as text.
    ///
    /// ```
    /// use burn::tensor::Tensor;
    /// use relprop_rules::{Operation, Rule, RuleError, RuleSet, algebra::share, operations::Residual};
    ///
    /// /// Hands on a part of what a branch would get.
    /// #[derive(Debug)]
    /// struct Branch {
    ///     share: f64,
    /// }
    ///
    /// impl Rule<Residual> for Branch {
    ///     fn apply(&self, sum: &Residual, (skip, branch): (Tensor<3>, Tensor<3>)) -> Tensor<3> {
    ///         sum.forward((skip, share(branch, self.share)))
    ///     }
    /// }
    ///
    /// let rules = RuleSet::preset("ah-ln")?.first("encoder.*", Branch { share: 0.5 });
    /// assert_eq!(rules.rules[0].rule, "Branch");
    /// assert!(matches!(rules.to_toml(), Err(RuleError::NoText { .. })));
    /// # Ok::<(), RuleError>(())
    /// ```
    #[must_use]
    pub fn first<O: Operation>(mut self, site: impl Into<Pattern>, rule: impl Rule<O>) -> Self {
        let name = name_of_type(&rule);
        let value = Some(ErasedRule::new(rule));
        let assignment = Assignment {
            value,
            ..Assignment::new(site, O::NAME, name)
        };
        self.rules.insert(0, assignment);
        self
    }

    /// Reads a rule set from TOML.
    ///
    /// # Errors
    ///
    /// [`RuleError::Syntax`], with the line and what was expected there.
    pub fn from_toml(text: &str) -> Result<Self, RuleError> {
        toml::from_str(text).map_err(|error| RuleError::Syntax(error.to_string()))
    }

    /// Writes the rule set as TOML.
    ///
    /// # Errors
    ///
    /// [`RuleError::NoText`] if a rule was given as a Rust value, by [`first`](Self::first), and
    /// [`RuleError::Syntax`] if a parameter cannot be written as TOML.
    pub fn to_toml(&self) -> Result<String, RuleError> {
        if let Some(assignment) = self.rules.iter().find(|entry| entry.value.is_some()) {
            return Err(RuleError::NoText {
                rule: assignment.rule.clone(),
                pattern: assignment.site.to_string(),
            });
        }
        toml::to_string_pretty(self).map_err(|error| RuleError::Syntax(error.to_string()))
    }

    /// The assignment that decides what `site` gets: the first that matches. None if none does, or no
    /// operation stands there.
    pub fn deciding(&self, site: &Site) -> Option<&Assignment> {
        let operation = site.operation?;
        self.rules
            .iter()
            .find(|assignment| assignment.matches(&site.name, operation))
    }

    /// Finds the rule of every site, so that a [`Pass`](crate::Pass) can run.
    ///
    /// # Errors
    ///
    /// For an assignment:
    ///
    /// * [`RuleError::UnknownOperation`] if its operation does not exist;
    /// * [`RuleError::UnknownSite`] if its pattern matches no site, and [`RuleError::OperationElsewhere`] if
    ///   it matches no site of its operation, unless it is [optional](Assignment::optional);
    /// * [`RuleError::UnknownRule`] if the operation does not have its rule;
    /// * [`RuleError::Parameters`] if the rule's parameters are wrong.
    ///
    /// For a site:
    ///
    /// * [`RuleError::NoRule`] if no assignment matches it;
    /// * [`RuleError::SameSite`] if two operations stand at sites of its name;
    /// * [`RuleError::SameName`] if the rule is for another operation of the same name.
    pub fn bind(&self, sites: &[Site], registry: &Registry) -> Result<BoundRules, RuleError> {
        for assignment in &self.rules {
            self.check(assignment, sites, registry)?;
        }
        let mut bound = BoundRules::default();
        let operations = || {
            sites
                .iter()
                .filter_map(|site| Some((site, site.operation?)))
        };
        let mut decides = vec![false; self.rules.len()];
        let mut standing = HashMap::new();
        for (site, operation) in operations() {
            let other = *standing.entry(&site.name).or_insert(operation);
            if other != operation {
                return Err(RuleError::SameSite {
                    site: site.name.clone(),
                    operations: [other, operation],
                });
            }
            let first = self
                .rules
                .iter()
                .position(|assignment| assignment.matches(&site.name, operation))
                .ok_or_else(|| RuleError::NoRule {
                    operation,
                    site: site.name.clone(),
                })?;
            decides[first] = true;
            let assignment = &self.rules[first];
            let rule = registry.build(assignment, operation, site)?;
            if site.kind.is_some_and(|kind| kind != rule.operation()) {
                return Err(RuleError::SameName {
                    operation,
                    site: site.name.clone(),
                });
            }
            bound.insert(&site.name, &assignment.rule, rule);
        }
        // An assignment that decides nothing, because others come before it, may still be wrong.
        for (assignment, _) in self
            .rules
            .iter()
            .zip(decides)
            .filter(|(_, decides)| !decides)
        {
            let mut matching = operations().filter(|(site, o)| assignment.matches(&site.name, o));
            if let Some((site, operation)) = matching.next() {
                registry.build(assignment, operation, site)?;
            }
        }
        Ok(bound)
    }

    fn check(
        &self,
        assignment: &Assignment,
        sites: &[Site],
        registry: &Registry,
    ) -> Result<(), RuleError> {
        // A rule that is a Rust value may be for an operation that is not registered.
        if assignment.value.is_none()
            && let Some(name) = &assignment.operation
            && !registry.operations().any(|known| known == name)
        {
            let known = registry.operations().collect();
            return Err(RuleError::UnknownOperation {
                name: name.clone(),
                known,
            });
        }
        if assignment.site.is_any() || assignment.optional {
            return Ok(()); // not every model has every operation
        }
        let pattern = || assignment.site.to_string();
        let mut matching = sites
            .iter()
            .filter(|site| assignment.site.matches(&site.name))
            .peekable();
        if matching.peek().is_none() {
            let names = sites.iter().map(|site| site.name.as_str());
            return Err(RuleError::UnknownSite {
                near_misses: near_misses(&pattern(), names),
                pattern: pattern(),
            });
        }
        if let Some(operation) = &assignment.operation
            && !matching.any(|site| site.operation == Some(operation))
        {
            return Err(RuleError::OperationElsewhere {
                pattern: pattern(),
                operation: operation.clone(),
            });
        }
        Ok(())
    }
}

/// The name of a value's type without its path: `Branch`.
fn name_of_type<T>(value: &T) -> &'static str {
    let name = std::any::type_name_of_val(value);
    let end = name.find('<').unwrap_or(name.len());
    let start = name[..end].rfind("::").map_or(0, |colons| colons + 2);
    &name[start..]
}

/// The site called `name`.
///
/// # Errors
///
/// [`RuleError::UnknownSite`], with similar names.
pub fn find_site<'a>(sites: &'a [Site], name: &str) -> Result<&'a Site, RuleError> {
    sites
        .iter()
        .find(|site| site.name == name)
        .ok_or_else(|| RuleError::UnknownSite {
            pattern: name.to_owned(),
            near_misses: near_misses(name, sites.iter().map(|site| site.name.as_str())),
        })
}
