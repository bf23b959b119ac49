//! Labels that a text was put to, in a terminal: how likely each is, and a heat map for each.

use relprop_explain::ZeroShot;

use super::{NARROWEST, PLAIN, ansi};
use crate::numbers::percent;
use crate::printable;
use crate::terminal::lines::Lines;

/// A line for each label with its probability, the likeliest first, and below them a heat map for each. `width` and
/// `color` are as for [`ansi`].
pub fn zero_shot_ansi(found: &ZeroShot, width: usize, color: bool) -> String {
    let mut lines = Lines::new(width.max(NARROWEST), color);
    for candidate in &found.candidates {
        let share = percent(candidate.probability as f32, 1);
        let label = printable(&candidate.label);
        let hypothesis = printable(&candidate.hypothesis);
        lines.paragraph(&format!("{share:>7}  {label}: {hypothesis}"), PLAIN);
    }
    let maps = found.explanations();
    let maps: Vec<String> = maps
        .map(|explanation| ansi(&explanation, width, color) + "\n")
        .collect();
    lines.finish() + "\n" + &maps.concat()
}
