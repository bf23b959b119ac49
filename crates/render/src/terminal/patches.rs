//! The heat map of a picture, for a terminal.

use anstyle::Style;

use relprop_explain::{Explanation, PictureInfo};

use super::lines::{Lines, PLAIN};
use super::palette::{step, style};
use crate::numbers::Scale;

/// How many of the strongest patches are named below the map.
const NAMED: usize = 5;

/// The name of the picture, its patches row by row, and its strongest patches. With color, a patch is
/// an area of its color; without, it is a sign and a step from 1 to 5.
pub(super) fn map(lines: &mut Lines, explanation: &Explanation, picture: &PictureInfo) {
    lines.paragraph(&explanation.text, PLAIN);
    lines.end_line();
    let scale = Scale::of(explanation);
    let room = lines.width() / picture.columns.max(1);
    let patches: Vec<_> = explanation.patches().collect();
    for row in patches.chunks(picture.columns.max(1)) {
        for patch in row {
            let shade = scale.shade(patch.relevance);
            let (text, style) = match (lines.color(), room) {
                (true, 2..) => ("  ".to_owned(), style(shade)),
                (true, _) => (" ".to_owned(), style(shade)),
                (false, 3..) => (format!(" {}", signed(shade)), PLAIN),
                (false, _) => (signed(shade).chars().take(1).collect(), PLAIN),
            };
            lines.write(&text, style);
        }
        lines.end_line();
    }
    lines.end_line();
    lines.paragraph(&strongest(explanation), Style::new().dimmed());
}

/// `+5`, or a dot for a patch without color.
fn signed(shade: f32) -> String {
    match step(shade) {
        0 => " .".to_owned(),
        step => format!("{}{step}", if shade > 0.0 { '+' } else { '-' }),
    }
}

/// The strongest patches, by row and column.
fn strongest(explanation: &Explanation) -> String {
    let numbers = Scale::of(explanation).numbers();
    let mut patches: Vec<_> = explanation.patches().collect();
    patches.sort_by(|a, b| b.relevance.abs().total_cmp(&a.relevance.abs()));
    let named = patches.iter().take(NAMED).map(|patch| {
        let place = patch.text.replace(',', " column ");
        format!("row {place} {}", numbers.signed(patch.relevance))
    });
    format!("strongest: {}", named.collect::<Vec<_>>().join(", "))
}
