//! The segments of a text in a terminal: a line each, the strongest first.

use relprop_explain::SegmentRelevance;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::lines::{Lines, PLAIN};
use super::palette::style;
use crate::ranked::{Row, rows};

/// How many segments are shown.
const SHOWN: usize = 12;

/// The strongest segments, the one that speaks most for the target first.
pub(super) fn segments(lines: &mut Lines, segments: &[SegmentRelevance]) {
    if segments.is_empty() {
        return;
    }
    let (rows, scale, _) = rows(segments);
    let width = rows.iter().map(|row| row.value.width()).max().unwrap_or(0);
    lines.paragraph("segments, what speaks for the target first:", PLAIN);
    for Row {
        segment,
        value,
        text,
    } in rows.iter().take(SHOWN)
    {
        let number = format!("{:>3}. {value:>width$} ", segment.rank);
        let room = lines.width().saturating_sub(number.width());
        lines.write(&number, PLAIN);
        lines.write(
            &shortened(text, room),
            style(scale.shade(segment.relevance)),
        );
        lines.end_line();
    }
    if let Some(more) = rows.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        lines.paragraph(&format!("and {more} more"), PLAIN);
    }
}

/// The start of a text that is too long for a line.
fn shortened(text: &str, room: usize) -> String {
    if text.width() <= room {
        return text.to_owned();
    }
    let mut left = room.saturating_sub(1);
    let kept = text.chars().take_while(|letter| {
        let width = letter.width().unwrap_or(0);
        let fits = width <= left;
        left = left.saturating_sub(width);
        fits
    });
    kept.collect::<String>() + "…"
}
