//! The heat map of a picture, for a terminal.

use anstyle::Style;

use super::numbers::{Numbers, Scale};
use super::page::{PLAIN, Page};
use super::palette::{STEPS, step, style};
use relprop_explain::{Explanation, PictureInfo};

/// How many of the strongest patches are named below the map.
const NAMED: usize = 5;

/// The patches row by row, each as wide as there is room for. With colour a patch is its colour,
/// without it is a sign and a step from 1 to 5.
pub(super) fn map(page: &mut Page, explanation: &Explanation, picture: &PictureInfo) {
    page.paragraph(&explanation.text, PLAIN);
    page.end_line();
    let scale = Scale::of(explanation);
    let room = page.width() / picture.columns.max(1);
    let patches: Vec<_> = explanation.patches().collect();
    for row in patches.chunks(picture.columns.max(1)) {
        for patch in row {
            let shade = scale.shade(patch.relevance);
            let (text, style) = match (page.colour(), room) {
                (true, 2..) => ("  ".to_owned(), style(shade)),
                (true, _) => (" ".to_owned(), style(shade)),
                (false, 3..) => (format!(" {}", signed(shade)), PLAIN),
                (false, _) => (signed(shade).chars().take(1).collect(), PLAIN),
            };
            page.write(&text, style);
        }
        page.end_line();
    }
    page.end_line();
    page.paragraph(&strongest(explanation), Style::new().dimmed());
}

/// `+5`, or a dot for what is hardly anything.
fn signed(shade: f32) -> String {
    match step(shade) {
        0 => " .".to_owned(),
        step => format!("{}{step}", if shade > 0.0 { '+' } else { '-' }),
    }
}

/// The strongest patches, by row and column.
fn strongest(explanation: &Explanation) -> String {
    let numbers = Numbers::up_to(Scale::of(explanation).largest());
    let mut patches: Vec<_> = explanation.patches().collect();
    patches.sort_by(|a, b| b.relevance.abs().total_cmp(&a.relevance.abs()));
    let named = patches.iter().take(NAMED).map(|patch| {
        let place = patch.text.replace(',', " column ");
        format!("row {place} {}", numbers.signed(patch.relevance))
    });
    format!("strongest: {}", named.collect::<Vec<_>>().join(", "))
}

/// What the signs and colours mean.
pub(super) fn legend() -> String {
    format!("+1 to +{STEPS} for, -1 to -{STEPS} against")
}
