//! The labels of a text's tokens in a terminal: a heat map for each.

use relprop_explain::Labelling;

use super::{NARROWEST, PLAIN, ansi};
use crate::printable;
use crate::terminal::lines::Lines;

/// A heat map for each part of a text that was explained, one under the other, each with a line between.
/// A text without a part has one sentence. `width` and `color` are as for [`ansi`].
pub fn labelling_ansi(labelling: &Labelling, width: usize, color: bool) -> String {
    let maps = labelling.explanations();
    let maps: Vec<String> = maps
        .map(|explanation| ansi(&explanation, width, color) + "\n")
        .collect();
    if maps.is_empty() {
        let mut lines = Lines::new(width.max(NARROWEST), color);
        let text = printable(&labelling.text);
        lines.paragraph(&format!("nothing is labelled in: {text}"), PLAIN);
        return lines.finish() + "\n";
    }
    maps.concat()
}
