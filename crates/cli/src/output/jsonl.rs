//! One JSON object in each line: an explanation, with the other columns of its row under `input`.

use relprop_data::objects;
use relprop_engine::{Found, Group};

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
fn json_lines(group: &Group) -> anyhow::Result<Vec<String>> {
    let mut inputs = inputs(group)?.into_iter();
    let line = |found: &Found| {
        let line = serde_json::to_string(found)?;
        // The row goes into the object as text: numbers keep every digit that the table has.
        Ok(match (inputs.next(), line.strip_suffix('}')) {
            (Some(input), Some(open)) => format!("{open},\"input\":{input}}}\n"),
            _ => line + "\n",
        })
    };
    group.found.iter().map(line).collect()
}

/// The other columns of each row, as JSON; none if there are no others.
pub(super) fn inputs(group: &Group) -> anyhow::Result<Vec<String>> {
    let mut others = group.batch.clone();
    // The text stands in the explanation already.
    others.remove_column(group.column);
    Ok(match others.num_columns() {
        0 => Vec::new(),
        _ => objects(&others)?,
    })
}
