//! What a command will do, checked: made of its arguments once, and handed on. A plan is all that decides
//! what is written, so it is also what a run that is resumed must have in common with the first.

mod evaluate;
mod explain;

pub(crate) use evaluate::EvaluatePlan;
pub(crate) use explain::{Destined, ExplainPlan};

use serde::Serialize;
use serde_json::{Map, Value};

/// The fields of a plan by their names.
pub(crate) fn fields(plan: &impl Serialize) -> anyhow::Result<Map<String, Value>> {
    match serde_json::to_value(plan)? {
        Value::Object(fields) => Ok(fields),
        _ => Ok(Map::new()),
    }
}

/// The names of the fields that two plans have otherwise.
pub(crate) fn differences(ours: &Map<String, Value>, theirs: &Map<String, Value>) -> Vec<String> {
    let gone = theirs.keys().filter(|name| !ours.contains_key(*name));
    let names = ours.keys().chain(gone);
    let changed = names.filter(|name| ours.get(*name) != theirs.get(*name));
    changed.cloned().collect()
}
