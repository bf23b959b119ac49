//! The heat map by itself, as a drawing.

use anyhow::Context;
use relprop_engine::Group;
use relprop_render as render;

use super::{Format, Writes};

/// How many letters a line of the drawing has.
const COLUMNS: usize = 80;

pub(super) const FORMAT: Format = Format {
    name: "svg",
    about: "The heat map of one text or picture, as a drawing",
    endings: &["svg"],
    pictures: true,
    continuations: false,
    labellings: false,
    compares: false,
    writes: Writes::AtTheEnd(|groups| {
        let mut explanations = groups.iter().flat_map(Group::explanations);
        let one = explanations.next().context("there is nothing to show")?;
        Ok(render::svg(one, COLUMNS))
    }),
};
