//! What the content of an output depends on.

use std::ops::Range;
use std::path::Path;

use relprop_checkpoints::{Model, sha256};
use relprop_rules::RuleSet;
use serde_json::{Map, Value, json};

use crate::args::{ExplainArguments, Format};

/// What a run is of: two runs with the same manifest write the same file. `folder` is the model's; `rows` are those of the
/// table, counted from 0; it is none where texts are not from a table.
pub(crate) fn manifest(
    arguments: &ExplainArguments,
    format: Format,
    folder: &Path,
    model: &Model,
    rules: &RuleSet,
    rows: Option<&Range<u64>>,
) -> anyhow::Result<Map<String, Value>> {
    let files = [
        "config.json",
        "tokenizer.json",
        "vocab.txt",
        "tokenizer_config.json",
    ];
    let files = files.map(|name| folder.join(name));
    let files: Vec<_> = files.into_iter().filter(|file| file.is_file()).collect();
    let input = match (rows, &arguments.input) {
        (Some(_), Some(path)) => Some(sha256(&[path])?),
        _ => None,
    };
    let entries = [
        ("schema", json!("relprop.bulk/1")),
        ("version", json!(env!("CARGO_PKG_VERSION"))),
        ("input", json!(input)),
        ("rows", json!(rows.map(|rows| [rows.start, rows.end]))),
        ("column", json!(arguments.column)),
        ("model", json!(model.sha256)),
        ("model-files", json!(sha256(&files)?)),
        ("method", json!(arguments.method)),
        ("rules", json!(rules.to_toml()?)),
        ("pair", json!(arguments.pair)),
        ("target", json!(arguments.target)),
        ("at", json!(arguments.at)),
        ("ledger", json!(arguments.ledger)),
        ("no-truncate", json!(arguments.no_truncate)),
        ("group", json!(arguments.group)),
        ("format", json!(format!("{format:?}").to_lowercase())),
        ("device", json!(format!("{:?}", model.transformer.device()))),
        ("dtype", json!(model.transformer.dtype().name())),
    ];
    Ok(entries
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect())
}
