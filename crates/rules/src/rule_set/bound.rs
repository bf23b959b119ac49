//! A rule set bound to the sites of one model.

use std::any::Any;
use std::collections::HashMap;
use std::sync::Arc;

use crate::{Operation, Rule};

/// A rule of some operation `O`: an `Arc<dyn Rule<O>>`, its operation forgotten.
pub(crate) type ErasedRule = Arc<dyn Any + Send + Sync>;

/// The rule of every site of one model; made by [`RuleSet::bind`](crate::RuleSet::bind).
#[derive(Clone, Debug, Default)]
pub struct BoundRules {
    by_site: HashMap<String, (String, ErasedRule)>,
}

impl BoundRules {
    /// Gives `site` the rule `rule`, called `name`, instead of its own: one that has no TOML form,
    /// such as a rule that holds tensors.
    pub fn set<O: Operation>(&mut self, site: &str, name: &str, rule: impl Rule<O>) {
        let rule: Arc<dyn Rule<O>> = Arc::new(rule);
        self.insert(site, name, Arc::new(rule));
    }

    pub(super) fn insert(&mut self, site: &str, name: &str, rule: ErasedRule) {
        self.by_site
            .insert(site.to_owned(), (name.to_owned(), rule));
    }

    /// The name of the rule at `site`, if an operation stands there.
    pub fn name(&self, site: &str) -> Option<&str> {
        self.by_site.get(site).map(|(name, _)| name.as_str())
    }

    pub(crate) fn rule<O: Operation>(&self, site: &str) -> &dyn Rule<O> {
        self.by_site
            .get(site)
            .and_then(|(_, rule)| rule.downcast_ref::<Arc<dyn Rule<O>>>())
            .unwrap_or_else(|| {
                panic!(
                    "the operation `{}` at site `{site}` has no rule: \
                     these rules were bound to the sites of another model",
                    O::NAME
                )
            })
            .as_ref()
    }
}
