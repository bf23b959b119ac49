//! Methods by name, rule sets from files among them.

use std::sync::Arc;

use relprop_checkpoints::Model;
use relprop_explain::ExplainError;
use relprop_explain::methods::{Method, Propagation, by_name};
use relprop_rules::Registry;

use crate::EngineError;
use crate::rules::{is_rules_file, rules};

/// A name of rules, and the site after an `@` at which relevance is read, if there is one: `ah-ln@embeddings.pixel`.
pub fn rules_and_site(name: &str) -> (&str, Option<&str>) {
    match name.rsplit_once('@') {
        Some((rules, site)) if !is_rules_file(name) => (rules, Some(site)),
        _ => (name, None),
    }
}

/// The method called `name`: propagation under the rules of a file if the name ends in `.toml`,
/// else a preset or one of relprop's other methods. After rules, `@` and a site say where relevance is read.
///
/// # Errors
///
/// If there is no such method, or it does not fit the model.
pub fn method(name: &str, model: &Arc<Model>, seed: u64) -> Result<Box<dyn Method>, EngineError> {
    let (of, site) = rules_and_site(name);
    if is_rules_file(of) || site.is_some() {
        let propagation = Propagation::new(model, &rules(of)?, &Registry::default())?;
        return Ok(Box::new(match site {
            Some(site) => propagation.at(site)?,
            None => propagation,
        }));
    }
    by_name(name, model, seed).map_err(|error| match error {
        ExplainError::UnknownMethod { .. } => EngineError::Method(error),
        error => error.into(),
    })
}
