//! Formats that are one document, which is written at the end.

use image::DynamicImage;
use relprop_explain::Explanation;
use relprop_render as render;
use serde_json::Value;

use super::Group;
use super::sink::json_lines;
use crate::args::LRP;

/// What a document is made of.
pub(crate) enum Document {
    /// One JSON object, or an array of several.
    Json(Vec<Value>),
    /// A page, of all explanations of each text.
    Page(Vec<Vec<Explanation>>),
}

impl Document {
    pub(super) fn add(&mut self, group: Group) -> anyhow::Result<()> {
        match self {
            Self::Json(objects) => {
                for line in json_lines(&group)? {
                    objects.push(serde_json::from_str(&line)?);
                }
            }
            Self::Page(texts) => texts.extend(group.explanations),
        }
        Ok(())
    }

    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Json(objects) => objects.is_empty(),
            Self::Page(texts) => texts.is_empty(),
        }
    }

    pub(super) fn text(&self) -> anyhow::Result<String> {
        Ok(match self {
            Self::Json(objects) => match objects.as_slice() {
                [one] => serde_json::to_string_pretty(one)? + "\n",
                several => serde_json::to_string_pretty(several)? + "\n",
            },
            Self::Page(texts) => page(texts, &[]),
        })
    }
}

/// A page of all explanations, and of the pictures that they are of, if they are.
pub(crate) fn page(texts: &[Vec<Explanation>], pictures: &[DynamicImage]) -> String {
    let first = &texts[0][0];
    let by = match first.method.as_str() {
        LRP => "Rules",
        _ => "Method",
    };
    let facts = [
        ("Model", first.model.family.clone()),
        (
            "Weights",
            first
                .model
                .sha256
                .as_deref()
                .map_or("-", |hash| &hash[..12])
                .to_owned(),
        ),
        (by, first.title().to_owned()),
        ("Read at", first.at.clone()),
        ("Device", first.device.clone()),
        ("Version", format!("relprop {}", first.version)),
    ];
    let facts = facts.map(|(name, value)| (name.to_owned(), value));
    let items: Vec<_> = texts
        .iter()
        .enumerate()
        .map(|(index, explanations)| render::Item {
            picture: pictures.get(index),
            explanations,
            note: None,
            evidence: &[],
        })
        .collect();
    render::html(&render::Report {
        title: "Why the model decided as it did",
        facts: &facts,
        items: &items,
    })
}
