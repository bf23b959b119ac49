//! A page with the heat map, and under it that of other rule sets.

use anyhow::Context;
use image::DynamicImage;
use relprop_engine::{Found, Group};
use relprop_explain::{Explanation, LRP};
use relprop_render as render;

use super::{Format, Writes};

pub(super) const FORMAT: Format = Format {
    name: "html",
    about: "A page with the heat map, and under it that of other rule sets",
    endings: &["html"],
    pictures: true,
    continuations: true,
    compares: true,
    writes: Writes::AtTheEnd(page),
};

/// A page of all that was found: the explanations of each text, or how one text goes on.
fn page(groups: &[Group]) -> anyhow::Result<String> {
    let mut items = Vec::new();
    for group in groups {
        for (row, found) in group.found.iter().enumerate() {
            match found {
                Found::Explanations(explanations) => {
                    items.push((&explanations[..], group.pictures.get(row)));
                }
                Found::Continuation(continuation) => {
                    return Ok(render::continuation_html(continuation));
                }
            }
        }
    }
    let first = items
        .first()
        .and_then(|(explanations, _)| explanations.first());
    let first = first.context("there is nothing to show")?;
    Ok(facts_page(first, &items))
}

/// A page of explanations, each with the picture that it is of, if it is; `first` says where they come from.
fn facts_page(first: &Explanation, items: &[(&[Explanation], Option<&DynamicImage>)]) -> String {
    let by = match first.method.as_str() {
        LRP => "Rules",
        _ => "Method",
    };
    let weights = first
        .model
        .sha256
        .as_deref()
        .map_or("-", |hash| &hash[..12]);
    let facts = [
        ("Model", first.model.family.clone()),
        ("Weights", weights.to_owned()),
        (by, first.title().to_owned()),
        ("Read at", first.at.clone()),
        ("Device", first.device.clone()),
        ("Version", format!("relprop {}", first.version)),
    ];
    let facts = facts.into_iter().filter(|(_, value)| !value.is_empty());
    let facts: Vec<_> = facts
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    let items = items.iter().map(|&(explanations, picture)| render::Item {
        picture,
        explanations,
        note: None,
        evidence: &[],
    });
    render::html(&render::Report {
        title: "Why the model decided as it did",
        facts: &facts,
        items: &items.collect::<Vec<_>>(),
    })
}
