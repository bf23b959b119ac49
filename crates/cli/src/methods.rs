//! Methods by name, rule sets from files among them.

use relprop_checkpoints::Model;
use relprop_explain::{ExplainError, Explainer};
use relprop_explain::{methods, methods::Method};
use relprop_rules::Registry;

use crate::rules;
use crate::usage::UsageError;

/// The method that `name` names: a file if it ends in `.toml`, else one of relprop's own.
pub(crate) fn load<'m>(
    name: &str,
    model: &'m Model,
    seed: u64,
) -> anyhow::Result<Box<dyn Method + 'm>> {
    if rules::is_file(name) {
        let rules = rules::load(name)?;
        let explainer = Explainer::new(model, &rules, &Registry::default());
        return Ok(Box::new(explainer.map_err(UsageError::new)?));
    }
    methods::by_name(name, model, seed).map_err(|error| match error {
        ExplainError::UnknownMethod { .. } => {
            UsageError::new(format_args!("{error}; or give a file that ends in .toml")).into()
        }
        error => UsageError::new(error).into(),
    })
}
