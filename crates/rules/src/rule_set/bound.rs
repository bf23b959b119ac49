//! A rule set bound to the sites of one model.

use std::collections::HashMap;

use super::erased::ErasedRule;
use crate::error::near_misses;
use crate::{Operation, Rule, RuleError};

/// The rule of every site of one model; made by [`RuleSet::bind`](crate::RuleSet::bind).
#[derive(Clone, Debug, Default)]
pub struct BoundRules {
    by_site: HashMap<String, (String, ErasedRule)>,
}

impl BoundRules {
    /// Replaces the rule of `site` by `rule`, which is called `name`.
    ///
    /// # Errors
    ///
    /// [`RuleError::UnknownSite`] if the model has no operation at `site`, and
    /// [`RuleError::OperationElsewhere`] if another operation than `O` stands there.
    pub fn set<O: Operation>(
        &mut self,
        site: &str,
        name: &str,
        rule: impl Rule<O>,
    ) -> Result<(), RuleError> {
        let Some(place) = self.by_site.get_mut(site) else {
            let names = self.by_site.keys().map(String::as_str);
            return Err(RuleError::UnknownSite {
                pattern: site.to_owned(),
                near_misses: near_misses(site, names),
            });
        };
        if place.1.get::<O>().is_none() {
            return Err(RuleError::OperationElsewhere {
                pattern: site.to_owned(),
                operation: O::NAME.to_owned(),
            });
        }
        *place = (name.to_owned(), ErasedRule::new(rule));
        Ok(())
    }

    pub(super) fn insert(&mut self, site: &str, name: &str, rule: ErasedRule) {
        self.by_site
            .insert(site.to_owned(), (name.to_owned(), rule));
    }

    /// The name of the rule at `site`, if an operation stands there.
    pub fn name(&self, site: &str) -> Option<&str> {
        self.by_site.get(site).map(|(name, _)| name.as_str())
    }

    /// The rule at `site`. Binding made sure that each site of the model has a rule for its
    /// operation.
    pub(crate) fn rule<O: Operation>(&self, site: &str) -> &dyn Rule<O> {
        let rule = self.by_site.get(site).and_then(|(_, rule)| rule.get::<O>());
        rule.unwrap_or_else(|| {
            panic!(
                "the operation `{}` at site `{site}` has no rule: \
                 these rules were bound to the sites of another model",
                O::NAME
            )
        })
    }
}
