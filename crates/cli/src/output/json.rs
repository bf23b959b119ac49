//! One JSON object, or an array of several.

use relprop_engine::Found;
use serde::Serialize;
use serde_json::Value;

use super::jsonl::inputs;
use super::{Format, Writes};

pub(super) const FORMAT: Format = Format {
    name: "json",
    about: "One JSON object, or an array of several",
    endings: &["json"],
    pictures: true,
    continuations: true,
    labellings: true,
    compares: false,
    writes: Writes::AtTheEnd(|groups| {
        let mut rows = Vec::new();
        for group in groups {
            let mut inputs = inputs(group)?.into_iter();
            for found in &group.found {
                let input = inputs.next().map(|input| serde_json::from_str(&input));
                let input = input.transpose()?;
                rows.push(Row { found, input });
            }
        }
        let text = match rows.as_slice() {
            [one] => serde_json::to_string_pretty(one)?,
            several => serde_json::to_string_pretty(several)?,
        };
        Ok(text + "\n")
    }),
};

/// What was found for a row, and its other columns.
#[derive(Serialize)]
struct Row<'f> {
    #[serde(flatten)]
    found: &'f Found,
    #[serde(skip_serializing_if = "Option::is_none")]
    input: Option<Value>,
}
