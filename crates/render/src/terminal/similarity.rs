//! Two texts, or two pictures, that are alike, in a terminal.

use relprop_explain::Similarity;

use super::{BOLD, NARROWEST, PLAIN, ansi, step, style};
use crate::numbers::Scale;
use crate::similarity::{Pair, explanations, measure, strongest, units};
use crate::terminal::lines::Lines;

/// How many pairs are listed.
const PAIRS: usize = 10;

/// A heat map of each text or picture, and the pairs of words or patches that are the most relevant. `width` and `color` are as for
/// [`ansi`].
pub fn similarity_ansi(similarity: &Similarity, width: usize, color: bool) -> String {
    let maps = explanations(similarity).map(|one| ansi(&one, width, color) + "\n");
    let mut lines = Lines::new(width.max(NARROWEST), color);
    let (name, value) = measure(similarity);
    let units = units(similarity);
    lines.paragraph(
        &format!("pairs of {units}, of the {name} {value:+.3}"),
        BOLD,
    );
    let largest = strongest(similarity, 1)
        .first()
        .map_or(0.0, |pair| pair.relevance.abs());
    let scale = Scale::of_all(std::iter::once(largest));
    let numbers = scale.numbers();
    for Pair {
        names: [first, second],
        relevance,
        ..
    } in strongest(similarity, PAIRS)
    {
        let shade = scale.shade(relevance);
        let shown = format!("{} {first} - {second}", numbers.signed(relevance));
        let plain = step(shade) == 0 || !color;
        lines.paragraph(&shown, if plain { PLAIN } else { style(shade) });
    }
    maps.concat() + &lines.finish() + "\n"
}
