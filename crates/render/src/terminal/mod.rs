//! A terminal: heat maps and tables as lines of text, with color or without.

mod comparison;
mod continuation;
mod evaluation;
mod labelling;
mod ledger;
mod lines;
mod palette;
mod patches;
mod ranked;
mod similarity;

use anstyle::Style;
use relprop_explain::Explanation;
use unicode_width::UnicodeWidthStr;

use crate::flow::flow;
use crate::header::{Header, dropped, windows};
use crate::hops;
use crate::numbers::{Scale, percent};
use crate::segments::segments;
use crate::sums::Sums;

pub use comparison::comparison_ansi;
pub use continuation::continuation_ansi;
pub use evaluation::evaluation_table;
pub use labelling::labelling_ansi;
use lines::{Lines, PLAIN};
use palette::{STEPS, step, style};
pub use similarity::similarity_ansi;
pub use zero_shot::zero_shot_ansi;

/// The narrowest heat map: the legend fits.
const NARROWEST: usize = 24;
const BOLD: Style = Style::new().bold();
const DIMMED: Style = Style::new().dimmed();

/// A heat map of one explanation, at most `width` columns wide; it ends with a newline.
///
/// A text is shown word by word, with the relevance of each word under it; a picture is shown patch
/// by patch. With `color`, the background shows relevance too: blue for the target, red against it.
/// Without, the result holds no escape code, and one to five signs take the place of the color. A
/// `width` below 24 is taken as 24.
///
/// Control characters in the text are shown as symbols, so no text can send commands to the
/// terminal.
pub fn ansi(explanation: &Explanation, width: usize, color: bool) -> String {
    let mut lines = Lines::new(width.max(NARROWEST), color);
    header(&mut lines, explanation);
    lines.end_line();
    match explanation.subject.picture() {
        None => heat_map(&mut lines, explanation),
        Some(picture) => patches::map(&mut lines, explanation, picture),
    }
    ranked::segments(&mut lines, &explanation.segments);
    footer(&mut lines, explanation);
    lines.finish()
}

/// The prediction, the target, and how it was explained.
fn header(lines: &mut Lines, explanation: &Explanation) {
    let header = Header::of(explanation);
    let probability = header.probability.map(|p| format!(" ({})", percent(p, 1)));
    let prediction = header.prediction + &probability.unwrap_or_default();
    let target = format!("target {} = {}", header.target, header.value);
    lines.parts(&[(prediction, BOLD), (target, BOLD)]);
    let ways = header.ways.iter();
    let ways = ways.map(|way| format!("{} {}", way.name.to_lowercase(), way.value));
    lines.paragraph(&ways.collect::<Vec<_>>().join(", "), DIMMED);
}

/// The lines of the text, each with a row of numbers and, without color, a row of signs.
fn heat_map(lines: &mut Lines, explanation: &Explanation) {
    let scale = Scale::of(explanation);
    let numbers = scale.numbers();
    let placed = flow(&segments(explanation), lines.width(), |relevance| {
        numbers.signed(relevance).width().max(STEPS)
    });
    for line in placed {
        lines.row(&line, |cell| {
            let style = cell
                .relevance
                .map_or(PLAIN, |relevance| style(scale.shade(relevance)));
            Some((cell.text.clone(), style))
        });
        if line.iter().any(|cell| cell.number.is_some()) {
            lines.row(&line, |cell| {
                let relevance = cell.number?;
                let weak = step(scale.shade(relevance)) == 0;
                Some((numbers.signed(relevance), if weak { DIMMED } else { PLAIN }))
            });
            if !lines.color() {
                lines.row(&line, |cell| {
                    let shade = scale.shade(cell.number?);
                    let sign = if shade > 0.0 { "+" } else { "-" };
                    Some((sign.repeat(step(shade)), PLAIN))
                });
            }
        }
        lines.end_line();
    }
}

/// The sums, the rest of the target, the tokens that were cut, and the legend.
fn footer(lines: &mut Lines, explanation: &Explanation) {
    let sums = Sums::of(explanation);
    let named = sums.named().into_iter();
    let named: Vec<_> = named
        .map(|(name, sum)| (format!("{name} {sum}"), PLAIN))
        .collect();
    lines.parts(&named);
    match &explanation.ledger {
        Some(account) => ledger::account(lines, account),
        None => lines.paragraph(&sums.held(), PLAIN),
    }
    for hop in hops::lines(explanation) {
        lines.paragraph(&hop, PLAIN);
    }
    for note in [dropped(explanation), windows(explanation)]
        .into_iter()
        .flatten()
    {
        lines.paragraph(&note, PLAIN);
    }
    lines.parts(&legend(
        lines.color(),
        explanation.subject.picture().is_some(),
    ));
}

/// What colors, or else signs, mean.
fn legend(color: bool, picture: bool) -> [(String, Style); 2] {
    if color {
        [
            ("blue: for the target".to_owned(), style(1.0)),
            ("red: against it".to_owned(), style(-1.0)),
        ]
    } else if picture {
        [
            (format!("+1 to +{STEPS}: for the target"), PLAIN),
            (format!("-1 to -{STEPS}: against it"), PLAIN),
        ]
    } else {
        [
            ("+++ for the target".to_owned(), PLAIN),
            ("--- against it".to_owned(), PLAIN),
        ]
    }
}

#[cfg(test)]
mod tests;
mod zero_shot;
