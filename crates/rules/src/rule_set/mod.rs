//! Which rule each site of a model gets.

mod bound;
mod pattern;
mod registry;

use serde::{Deserialize, Serialize};

pub use bound::BoundRules;
pub use pattern::Pattern;
pub use registry::Registry;

use crate::{RuleError, Site, error::near_misses};

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
/// // A preset with one change of one's own before it.
/// let mut rules = RuleSet::preset("ah-ln")?;
/// rules.rules.insert(0, Assignment::new("encoder.0.attention.norm", "norm", "gradient"));
/// # Ok::<(), relprop_rules::RuleError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleSet {
    /// What explanations say it is called.
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
    /// Whether there may be no such site: a model may lack a part. If not, that is an error.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub optional: bool,
    /// The name of the rule.
    pub rule: String,
    /// The rule's parameters.
    #[serde(flatten)]
    pub parameters: toml::Table,
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
    /// [`RuleError::Syntax`] if a parameter cannot be written as TOML.
    pub fn to_toml(&self) -> Result<String, RuleError> {
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
    /// An assignment that is not [optional](Assignment::optional) and whose pattern matches no site
    /// ([`RuleError::UnknownSite`]) or no site of its operation ([`RuleError::OperationElsewhere`]), or one whose operation does not exist
    /// ([`RuleError::UnknownOperation`]); a site for whose operation no assignment
    /// is left ([`RuleError::NoRule`]); a rule that the operation does not have
    /// ([`RuleError::UnknownRule`]) or whose parameters are wrong ([`RuleError::Parameters`]).
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
        for (site, operation) in operations() {
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
        if let Some(name) = &assignment.operation
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
