//! Plans: what a command will do, made from its arguments once, after all checks. A plan holds
//! everything that decides what is written, so a resumed run must have the same plan as the first
//! run.

mod evaluate;
mod explain;

pub(crate) use evaluate::EvaluatePlan;
pub(crate) use explain::{Checked, Destined, ExplainPlan, truncation, unit};

use serde::Serialize;
use serde_json::{Map, Value};

/// The fields of a plan by their names.
pub(crate) fn fields(plan: &impl Serialize) -> anyhow::Result<Map<String, Value>> {
    match serde_json::to_value(plan)? {
        Value::Object(fields) => Ok(fields),
        _ => Ok(Map::new()),
    }
}

/// The names of the fields in which two plans differ.
pub(crate) fn differences(ours: &Map<String, Value>, theirs: &Map<String, Value>) -> Vec<String> {
    let gone = theirs.keys().filter(|name| !ours.contains_key(*name));
    let names = ours.keys().chain(gone);
    let changed = names.filter(|name| ours.get(*name) != theirs.get(*name));
    changed.cloned().collect()
}
