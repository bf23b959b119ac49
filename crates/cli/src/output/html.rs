//! A page with the heat map, and the heat maps of other rule sets below it.

use std::slice;

use anyhow::Context;
use relprop_engine::{Found, Group};
use relprop_explain::Explanation;
use relprop_render as render;

use super::{Format, Writes};

pub(super) const FORMAT: Format = Format {
    name: "html",
    about: "A page with the heat map, and under it that of other rule sets",
    endings: &["html"],
    pictures: true,
    continuations: true,
    labellings: true,
    compares: true,
    writes: Writes::AtTheEnd(page),
};

/// A page with the explanations of each text, or with the continuation of one text.
fn page(groups: &[Group]) -> anyhow::Result<String> {
    let parts = parts(groups);
    let mut items: Vec<_> = parts
        .iter()
        .map(|part| (slice::from_ref(part), None))
        .collect();
    for group in groups {
        for (row, found) in group.found.iter().enumerate() {
            match found {
                Found::Explanations(explanations) => {
                    items.push((&explanations[..], group.pictures.get(row)));
                }
                Found::Continuation(continuation) => {
                    return Ok(render::continuation_html(continuation).page());
                }
                Found::Labelling(_) | Found::ZeroShot(_) => {}
            }
        }
    }
    let first = items
        .first()
        .and_then(|(explanations, _)| explanations.first());
    let first = first.context("there is nothing to show")?;
    let items = items.iter().map(|&(explanations, picture)| render::Item {
        picture,
        explanations,
        note: None,
        evidence: &[],
    });
    let report = render::html(&render::Report {
        title: "Why the model decided as it did",
        facts: &render::facts(first),
        items: &items.collect::<Vec<_>>(),
    });
    Ok(report.page())
}

/// The labels of tokens, and those that a text was put to, each as an explanation of its text.
fn parts(groups: &[Group]) -> Vec<Explanation> {
    let found = groups.iter().flat_map(|group| &group.found);
    let parts = found.flat_map(|found| match found {
        Found::Labelling(found) => found.explanations().collect(),
        Found::ZeroShot(found) => found.explanations().collect(),
        Found::Explanations(_) | Found::Continuation(_) => Vec::new(),
    });
    parts.collect()
}
