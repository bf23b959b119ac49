//! A picture and texts that it was compared with, in a terminal.

use relprop_explain::Comparison;

use super::{NARROWEST, PLAIN, ansi};
use crate::comparison::{facts, likeliest, pairs};
use crate::numbers::percent;
use crate::printable;
use crate::terminal::lines::Lines;

/// A line for each text with its probability, the likeliest first; then a heat map of the picture, and one of each text that
/// the target depends on. `width` and `color` are as for [`ansi`].
pub fn comparison_ansi(found: &Comparison, width: usize, color: bool) -> String {
    let mut lines = Lines::new(width.max(NARROWEST), color);
    for text in likeliest(found) {
        let share = percent(text.probability as f32, 1);
        let said = printable(&text.text);
        lines.paragraph(&format!("{share:>7}  {}  {said}", facts(text)), PLAIN);
    }
    let mut shown = lines.finish() + "\n" + &ansi(&found.picture, width, color) + "\n";
    for text in &found.texts {
        let Some(explanation) = &text.explanation else {
            continue;
        };
        shown += &ansi(explanation, width, color);
        if let Some(pairs) = pairs(&found.picture, text) {
            let mut lines = Lines::new(width.max(NARROWEST), color);
            lines.paragraph(&pairs, PLAIN);
            shown += &lines.finish();
        }
        shown.push('\n');
    }
    shown
}
