//! One JSON object in each line: an explanation, with the other columns of its row under `input`.

use relprop_data::objects;
use relprop_engine::{Found, Group};
use relprop_render as render;

use super::{Format, Sink, Writes};

pub(super) const FORMAT: Format = Format {
    name: "jsonl",
    about: "One JSON object a line",
    endings: &["jsonl"],
    pictures: true,
    continuations: false,
    labellings: true,
    compares: false,
    writes: Writes::AsItComes {
        table: false,
        only_to_file: false,
        sink: |_| Box::new(JsonLines),
    },
};

struct JsonLines;

impl Sink for JsonLines {
    fn file(&self, group: &Group) -> anyhow::Result<Vec<u8>> {
        Ok(json_lines(group)?.concat().into_bytes())
    }
}

/// A line for each row of `group`, with its line break.
pub(super) fn json_lines(group: &Group) -> anyhow::Result<Vec<String>> {
    let mut others = group.batch.clone();
    // The text stands in the explanation already.
    others.remove_column(group.column);
    let inputs = match others.num_columns() {
        0 => Vec::new(),
        _ => objects(&others)?,
    };
    let mut inputs = inputs.into_iter();
    let line = |found: &Found| {
        let line = match found {
            Found::Explanations(found) => render::jsonl(&found[..1])?,
            Found::Continuation(found) => serde_json::to_string(found)? + "\n",
            Found::Labelling(found) => serde_json::to_string(found)? + "\n",
            Found::ZeroShot(found) => serde_json::to_string(found)? + "\n",
        };
        // The row goes into the object as text: numbers keep every digit that the table has.
        Ok(match (inputs.next(), line.strip_suffix("}\n")) {
            (Some(input), Some(open)) => format!("{open},\"input\":{input}}}\n"),
            _ => line,
        })
    };
    group.found.iter().map(line).collect()
}
