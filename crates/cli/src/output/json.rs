//! One JSON object, or an array of several.

use serde_json::Value;

use super::jsonl::json_lines;
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
        let mut objects: Vec<Value> = Vec::new();
        for group in groups {
            for line in json_lines(group)? {
                objects.push(serde_json::from_str(&line)?);
            }
        }
        let text = match objects.as_slice() {
            [one] => serde_json::to_string_pretty(one)?,
            several => serde_json::to_string_pretty(several)?,
        };
        Ok(text + "\n")
    }),
};
