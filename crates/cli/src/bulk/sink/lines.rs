//! JSON lines: explanations, each with the other columns of its row under `input`.

use relprop_data::objects;
use relprop_render as render;

use super::Sink;
use crate::bulk::Group;

pub(super) struct JsonLines;

impl Sink for JsonLines {
    fn file(&self, group: &Group) -> anyhow::Result<Vec<u8>> {
        Ok(json_lines(group)?.concat().into_bytes())
    }
}

/// A line for each row of `group`, with its line break.
pub(crate) fn json_lines(group: &Group) -> anyhow::Result<Vec<String>> {
    let mut others = group.batch.clone();
    // The text stands in the explanation already.
    others.remove_column(group.column);
    let inputs = match others.num_columns() {
        0 => Vec::new(),
        _ => objects(&others)?,
    };
    let mut inputs = inputs.into_iter();
    let line = |explanation| {
        let line = render::jsonl(std::slice::from_ref(explanation))?;
        // The row goes into the object as text: numbers keep every digit that the table has.
        Ok(match (inputs.next(), line.strip_suffix("}\n")) {
            (Some(input), Some(open)) => format!("{open},\"input\":{input}}}\n"),
            _ => line,
        })
    };
    group.asked().map(line).collect()
}
