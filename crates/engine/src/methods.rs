//! Methods by name, rule sets from files among them.

use std::sync::Arc;

use relprop_checkpoints::Model;
use relprop_explain::ExplainError;
use relprop_explain::methods::{Method, Propagation, by_name};
use relprop_rules::Registry;

use crate::EngineError;
use crate::rules::{is_rules_file, rules};

/// The method called `name`: propagation under the rules of a file if the name ends in `.toml`,
/// else a preset or one of relprop's other methods.
///
/// # Errors
///
/// If there is no such method, or it does not fit the model.
pub fn method(name: &str, model: &Arc<Model>, seed: u64) -> Result<Box<dyn Method>, EngineError> {
    if is_rules_file(name) {
        let propagation = Propagation::new(model, &rules(name)?, &Registry::default())?;
        return Ok(Box::new(propagation));
    }
    by_name(name, model, seed).map_err(|error| match error {
        ExplainError::UnknownMethod { .. } => EngineError::Method(error),
        error => error.into(),
    })
}
