//! The segments of a text in the order of their relevance, for all writers.

use relprop_explain::SegmentRelevance;

use crate::numbers::{Numbers, Scale};
use crate::printable;

/// A segment as it is shown.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row<'a> {
    /// The segment.
    pub segment: &'a SegmentRelevance,
    /// Its relevance, with its sign.
    pub value: String,
    /// What it says, in one line; a field's name stands before it.
    pub text: String,
}

/// The segments, the strongest first.
pub(crate) fn rows(segments: &[SegmentRelevance]) -> (Vec<Row<'_>>, Scale, Numbers) {
    let scale = Scale::of_all(segments.iter().map(|segment| segment.relevance));
    let numbers = scale.numbers();
    let mut ranked: Vec<&SegmentRelevance> = segments.iter().collect();
    ranked.sort_by_key(|segment| segment.rank);
    let rows = ranked.into_iter().map(|segment| {
        let words: Vec<&str> = segment.text.split_whitespace().collect();
        let text = printable(&words.join(" "));
        Row {
            segment,
            value: numbers.signed(segment.relevance),
            text: match &segment.name {
                Some(name) => format!("{}: {text}", printable(name)),
                None => text,
            },
        }
    });
    (rows.collect(), scale, numbers)
}
