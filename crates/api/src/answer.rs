//! What was found, as it is sent: the JSON that the program writes, and fragments of HTML.

use std::collections::BTreeMap;
use std::slice;

use image::DynamicImage;
use relprop_engine::Found;
use relprop_explain::{Explanation, Similarity};
use relprop_render as render;
use serde::Serialize;

use crate::explainers::Explained;
use crate::found::ItemFound;
use crate::fragment::Fragment;
use crate::refusal::Refusal;

/// How many letters a line of a drawing has.
const COLUMNS: usize = 80;
/// The title of a page.
const TITLE: &str = "Why the model decided as it did";

/// The fragments of one item, by their names.
type Fragments = BTreeMap<Fragment, String>;

/// The answer to `POST /api/explain`.
#[derive(Debug, Serialize)]
pub struct Answer<'f> {
    /// The name of the model.
    model: &'f str,
    /// What was found for each item, in order, as the program writes it.
    explanations: Vec<&'f ItemFound>,
    /// The fragments of each item, if any were asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fragments: Vec<Fragments>,
    /// What should be known about all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    warning: Option<&'f str>,
}

impl<'f> Answer<'f> {
    /// The answer about the model of this name, with the fragments that are `wanted`.
    pub fn new(model: &'f str, explained: &'f Explained, wanted: &[Fragment]) -> Self {
        let found = || explained.found.iter();
        Self {
            model,
            explanations: found().map(|(found, _)| found).collect(),
            fragments: match wanted {
                [] => Vec::new(),
                wanted => found()
                    .map(|(found, picture)| fragments(found, picture.as_ref(), wanted))
                    .collect(),
            },
            warning: explained.warning.as_deref(),
        }
    }
}

fn fragments(found: &ItemFound, picture: Option<&DynamicImage>, wanted: &[Fragment]) -> Fragments {
    let fragment = |kind: &Fragment| {
        let made = match kind {
            Fragment::Report => report(found, picture, false).fragment(),
            Fragment::Page => report(found, picture, true).page(),
            Fragment::Svg => render::svg(found.explanation()?, COLUMNS),
        };
        Some((*kind, made))
    };
    wanted.iter().filter_map(fragment).collect()
}

/// All that a report has of it, with a title and facts if it is `whole`.
fn report(found: &ItemFound, picture: Option<&DynamicImage>, whole: bool) -> render::Html {
    let several = |explanations: &[Explanation]| {
        let items: Vec<_> = (explanations.iter())
            .map(|explanation| render::Item {
                explanations: slice::from_ref(explanation),
                note: None,
                evidence: &[],
                picture,
            })
            .collect();
        let facts = explanations.first().filter(|_| whole).map(render::facts);
        render::html(&render::Report {
            title: if whole { TITLE } else { "" },
            facts: &facts.unwrap_or_default(),
            items: &items,
        })
    };
    match found {
        ItemFound::Compared(found) => render::comparison_html(&[(found, picture)]),
        ItemFound::One(Found::Explanations(found)) => several(found),
        ItemFound::One(Found::Continuation(found)) => render::continuation_html(found),
        ItemFound::One(Found::Labelling(found)) => {
            several(&found.explanations().collect::<Vec<_>>())
        }
        ItemFound::One(Found::ZeroShot(found)) => {
            several(&found.explanations().collect::<Vec<_>>())
        }
    }
}

/// The answer to `POST /api/similar`.
#[derive(Debug, Serialize)]
pub struct SimilarAnswer<'f> {
    model: &'f str,
    /// The places of the texts among those given, the most similar first.
    places: Vec<usize>,
    /// What makes each of them similar, in the same order.
    similarities: Vec<&'f Similarity>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fragments: Vec<Fragments>,
}

impl<'f> SimilarAnswer<'f> {
    /// The answer about the model of this name, with the fragments that are `wanted`.
    pub fn new(model: &'f str, found: &'f [(usize, Similarity)], wanted: &[Fragment]) -> Self {
        let fragments = |(_, found): &(usize, Similarity)| {
            let fragment = |kind: &Fragment| {
                let made = match kind {
                    Fragment::Report => render::similarity_html(found, None).fragment(),
                    Fragment::Page => render::similarity_html(found, None).page(),
                    Fragment::Svg => return None,
                };
                Some((*kind, made))
            };
            wanted.iter().filter_map(fragment).collect()
        };
        Self {
            model,
            places: found.iter().map(|(place, _)| *place).collect(),
            similarities: found.iter().map(|(_, found)| found).collect(),
            fragments: match wanted {
                [] => Vec::new(),
                _ => found.iter().map(fragments).collect(),
            },
        }
    }
}

/// An answer as it is sent: JSON in one line.
///
/// # Errors
///
/// [`Refusal`], if it cannot be written.
pub fn written(answer: &impl Serialize) -> Result<Vec<u8>, Refusal> {
    let mut bytes = serde_json::to_vec(answer).map_err(|error| Refusal {
        status: 500,
        message: format!("the answer cannot be written: {error}"),
    })?;
    bytes.push(b'\n');
    Ok(bytes)
}
