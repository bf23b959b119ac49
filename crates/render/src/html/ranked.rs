//! The segments of a text: a table, the strongest first.

use maud::{Markup, html as markup};

use relprop_explain::SegmentRelevance;

use super::number_cell;
use crate::ranked::rows;

/// A row for each segment.
pub(super) fn segments(segments: &[SegmentRelevance]) -> Markup {
    if segments.is_empty() {
        return markup! {};
    }
    let (rows, scale, numbers) = rows(segments);
    markup! {
        section.segments {
            h3 { "Segments, what speaks for the target first" }
            div.scroll tabindex="0" role="group" aria-label="Segments" {
                table {
                    thead {
                        tr {
                            th.number scope="col" { "rank" }
                            th scope="col" { "segment" }
                            th scope="col" { "characters" }
                            th.number scope="col" { "relevance" }
                        }
                    }
                    tbody {
                        @for row in &rows {
                            tr {
                                td.number { (row.segment.rank) }
                                th scope="row" lang="" dir="auto" { (row.text) }
                                td.place { (row.segment.start) "–" (row.segment.end) }
                                (number_cell(row.segment.relevance, scale, numbers))
                            }
                        }
                    }
                }
            }
        }
    }
}
