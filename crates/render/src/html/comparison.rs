//! Pictures and the texts that each was compared with.

use std::slice;

use image::DynamicImage;
use relprop_explain::Comparison;

use super::{Html, Item, Report, html};
use crate::comparison;
use crate::header::facts;

/// A heat map of each picture, and below it one of each text that the target depends on.
pub fn comparison_html(found: &[(&Comparison, Option<&DynamicImage>)]) -> Html {
    let of_texts = |found: &Comparison| {
        let texts = found.texts.iter();
        let note = |text| {
            let facts = comparison::facts(text).replace("  ", ", ");
            match comparison::pairs(&found.picture, text) {
                Some(pairs) => format!("{facts}. {pairs}."),
                None => facts + ".",
            }
        };
        texts.map(note).collect::<Vec<String>>()
    };
    let notes: Vec<Vec<String>> = found.iter().map(|(found, _)| of_texts(found)).collect();
    let mut items = Vec::new();
    for ((found, picture), notes) in found.iter().zip(&notes) {
        items.push(Item {
            explanations: slice::from_ref(&found.picture),
            note: None,
            evidence: &[],
            picture: *picture,
        });
        let explained = found.texts.iter().zip(notes);
        items.extend(explained.filter_map(|(text, note)| {
            Some(Item {
                explanations: slice::from_ref(text.explanation.as_ref()?),
                note: Some(note),
                evidence: &[],
                picture: None,
            })
        }));
    }
    let first = found.first();
    html(&Report {
        title: "Why the picture fits the texts",
        facts: &first.map_or_else(Vec::new, |(found, _)| facts(&found.picture)),
        items: &items,
    })
}
