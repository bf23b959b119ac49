//! A table of the new tokens of a continuation against all tokens before them.

use anstyle::Style;
use relprop_explain::Continuation;
use unicode_width::UnicodeWidthStr;

use super::lines::{Lines, PLAIN};
use super::palette::{step, style};
use super::{BOLD, DIMMED};
use crate::continuation::{chosen, ended, names, part_at, scale};
use crate::numbers::percent;

/// The width of a column of numbers, with the gap before it.
const COLUMN: usize = 10;

/// A table for the terminal, at most `width` columns wide: a row for each token, a column for each
/// new one. Where more columns are needed than fit, there are several tables. With `color`, the
/// background of a number shows it; without, the text holds no escape code.
pub fn continuation_ansi(continuation: &Continuation, width: usize, color: bool) -> String {
    let tokens = names(continuation);
    let parts = [0, continuation.source].into_iter();
    let parts = parts.filter_map(|row| part_at(continuation, row));
    let shown = tokens.iter().map(String::as_str).chain(parts);
    let widest = shown.map(UnicodeWidthStr::width).max().unwrap_or(0);
    let mut lines = Lines::new(width.max(widest + 2 * COLUMN), color);
    lines.paragraph(&continuation.text, BOLD);
    let how = match continuation.at.as_str() {
        "" => format!("explained by {}", continuation.by),
        site => format!("explained by {}, read at {site}", continuation.by),
    };
    lines.paragraph(&how, DIMMED);
    if continuation.sampling.is_some() {
        lines.paragraph(&chosen(continuation), DIMMED);
    }
    if let Some(end) = ended(continuation) {
        lines.paragraph(&format!("the text ends here, with {end}"), DIMMED);
    }
    super::ranked::segments(&mut lines, &continuation.segments);
    let columns = ((lines.width() - widest) / COLUMN).max(1);
    for steps in continuation.steps.chunks(columns) {
        lines.end_line();
        let mut write = |name: &str, name_style: Style, cells: Vec<(String, Style)>| {
            lines.write(name, name_style);
            if !cells.is_empty() {
                lines.write(&" ".repeat(widest.saturating_sub(name.width())), PLAIN);
            }
            for (text, cell_style) in cells {
                lines.write(&" ".repeat(COLUMN.saturating_sub(text.width())), PLAIN);
                lines.write(&text, cell_style);
            }
            lines.end_line();
        };
        let heads = steps.iter().map(|step| (tokens[step.token].clone(), BOLD));
        write("", PLAIN, heads.collect());
        let probabilities = steps.iter().map(|step| percent(step.probability, 0));
        write("", PLAIN, probabilities.map(|p| (p, DIMMED)).collect());
        let scales: Vec<_> = steps.iter().map(scale).collect();
        let rows = steps.last().map_or(0, |step| step.token);
        for (row, token) in tokens.iter().enumerate().take(rows) {
            if let Some(part) = part_at(continuation, row) {
                write(part, DIMMED, Vec::new());
            }
            let cells = steps.iter().zip(&scales).map(|(of, scale)| {
                let Some(&relevance) = of.relevance.get(row) else {
                    return (String::new(), PLAIN);
                };
                let text = scale.numbers().signed(relevance);
                let shade = scale.shade(relevance);
                match step(shade) {
                    0 => (text, DIMMED),
                    _ => (text, style(shade)),
                }
            });
            let new = row >= continuation.prompt;
            write(token, if new { BOLD } else { PLAIN }, cells.collect());
        }
    }
    lines.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::continuation;

    #[test]
    fn a_column_for_each_new_token() {
        insta::assert_snapshot!(continuation_ansi(&continuation(), 80, false), @"
        the keys are here
        explained by ah-ln, read at blocks
        drawn at temperature 1, seed 0

                   are      here
                  50 %      50 %
        the      -0.25     +0.50
        keys     +1.50      0.00
        are                -1.00
        ");
    }

    #[test]
    fn the_source_stands_before_the_output() {
        let mut sample = continuation();
        sample.source = 1;
        insta::assert_snapshot!(continuation_ansi(&sample, 80, false), @"
        the keys are here
        explained by ah-ln, read at blocks
        drawn at temperature 1, seed 0

                     are      here
                    50 %      50 %
        source
        the        -0.25     +0.50
        output
        keys       +1.50      0.00
        are                  -1.00
        ");
    }

    #[test]
    fn the_end_of_a_text_is_said() {
        let mut sample = continuation();
        sample.end = Some(relprop_explain::End {
            text: "</s>\u{1b}[31m".into(),
            id: 2,
            probability: 0.75,
        });
        let table = continuation_ansi(&sample, 80, false);
        let said = table.lines().find(|line| line.contains("ends here"));
        assert_eq!(
            said,
            Some("the text ends here, with </s>\u{241b}[31m (75 %)")
        );
        sample.end = None;
        assert!(!continuation_ansi(&sample, 80, false).contains("ends here"));
    }

    #[test]
    fn a_method_that_reads_at_no_site_names_none() {
        let mut sample = continuation();
        (sample.by, sample.at) = ("gae".into(), String::new());
        let table = continuation_ansi(&sample, 80, false);
        assert_eq!(table.lines().nth(1), Some("explained by gae"));
    }
}
