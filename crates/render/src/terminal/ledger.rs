//! The ledger of a target as bars.

use anstyle::{Ansi256Color, Style};
use relprop_explain::Ledger;
use unicode_width::UnicodeWidthStr;

use super::lines::{Lines, PLAIN};
use crate::ledger::{Line, by_kind, closing, lines as entries, numbers};

/// Bars narrower than this are left out.
const NARROWEST_BAR: usize = 8;

/// A line for each entry, with a bar as long as its relevance.
pub(super) fn account(lines: &mut Lines, ledger: &Ledger) {
    let numbers = numbers(ledger);
    let mut entries = entries(ledger);
    entries.push(Line {
        label: "target".to_owned(),
        relevance: ledger.target,
    });
    let values: Vec<String> = entries
        .iter()
        .map(|line| numbers.signed(line.relevance as f32))
        .collect();
    let widest = |texts: &mut dyn Iterator<Item = &str>| texts.map(UnicodeWidthStr::width).max();
    let label_width = widest(&mut entries.iter().map(|line| line.label.as_str())).unwrap_or(0);
    let value_width = widest(&mut values.iter().map(String::as_str)).unwrap_or(0);
    let largest = entries
        .iter()
        .fold(0.0_f64, |largest, line| largest.max(line.relevance.abs()));
    let room = lines.width().saturating_sub(label_width + value_width + 4);
    let half = if room < NARROWEST_BAR { 0 } else { room / 2 };

    for (line, value) in entries.iter().zip(values) {
        let length = half as f64 * line.relevance.abs() / largest;
        let length = if length.is_finite() {
            length.round() as usize
        } else {
            0
        };
        let bar = "█".repeat(length);
        // The target is the sum of the others.
        let style = match line.label.as_str() {
            "target" => PLAIN,
            _ if line.relevance < 0.0 => foreground(203),
            _ => foreground(33),
        };
        let before = if line.relevance < 0.0 {
            half - length
        } else {
            half
        };
        let text = format!("{:<label_width$}  {value:>value_width$}  ", line.label);
        if half == 0 || length == 0 {
            lines.paragraph(&text, PLAIN);
            continue;
        }
        lines.write(&text, PLAIN);
        lines.write(&" ".repeat(before), PLAIN);
        lines.write(&bar, style);
        lines.end_line();
    }
    lines.paragraph(&format!("by kind: {}", by_kind(ledger)), PLAIN);
    lines.paragraph(&closing(ledger), PLAIN);
}

fn foreground(colour: u8) -> Style {
    Style::new().fg_color(Some(Ansi256Color(colour).into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::ledger;

    #[test]
    fn an_account_in_the_terminal() {
        let mut lines = Lines::new(70, false);
        account(&mut lines, &ledger());
        insta::assert_snapshot!(lines.finish(), @"
        tokens                                           +1.70         ██████
        activation at encoder.0.feed-forward.activation  +1.00         ███
        bias at classifier                               -0.60       ██
        bias at 2 more sites                             +0.01
        shift at 1 site                                  -0.01
        target                                           +2.10         ███████
        by kind: activation +1.00, bias -0.59, shift -0.01
        the account closes: +1.0e-7 is unaccounted
        ");
    }
}
