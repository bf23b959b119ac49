//! The account of a target, gathered into lines: for the terminal, and for the report.

use anstyle::{Ansi256Color, Style};
use unicode_width::UnicodeWidthStr;

use super::numbers::{Numbers, largest};
use super::page::{PLAIN, Page};
use relprop_explain::Ledger;

/// So many entries have a line of their own, at most.
const LINES: usize = 10;
/// An entry of less than this fraction of the largest line has none of its own.
const SMALL: f64 = 0.03;
/// Bars narrower than this are left out.
const NARROWEST_BAR: usize = 8;

/// One line of an account.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Line {
    /// `tokens`, `bias at encoder.0.attention.output`, `bias at 12 more sites`.
    pub label: String,
    /// Its relevance.
    pub relevance: f64,
}

/// The tokens, then the largest entries, largest first, then the rest gathered by kind. They add up
/// to the target minus what is unaccounted, up to lines that would show as zero: they are left out.
pub(super) fn lines(ledger: &Ledger) -> Vec<Line> {
    let mut entries: Vec<_> = ledger.absorbed.iter().collect();
    entries.sort_by(|a, b| b.relevance.abs().total_cmp(&a.relevance.abs()));
    let largest = entries.first().map_or(0.0, |entry| entry.relevance.abs());
    let limit = SMALL * largest.max(ledger.tokens.abs());
    let shown = entries
        .iter()
        .take(LINES)
        .take_while(|entry| entry.relevance.abs() >= limit)
        .count();
    let (shown, rest) = entries.split_at(shown);

    let mut lines = vec![Line {
        label: "tokens".to_owned(),
        relevance: ledger.tokens,
    }];
    lines.extend(shown.iter().map(|entry| Line {
        label: format!("{} at {}", entry.kind, entry.site),
        relevance: entry.relevance,
    }));
    let mut gathered: Vec<(&str, Vec<f64>)> = Vec::new();
    for entry in rest {
        match gathered.iter_mut().find(|(kind, _)| *kind == entry.kind) {
            Some((_, values)) => values.push(entry.relevance),
            None => gathered.push((&entry.kind, vec![entry.relevance])),
        }
    }
    lines.extend(gathered.into_iter().map(|(kind, values)| {
        let more = if shown.iter().any(|entry| entry.kind == kind) {
            " more"
        } else {
            ""
        };
        let sites = if values.len() == 1 { "site" } else { "sites" };
        Line {
            label: format!("{kind} at {}{more} {sites}", values.len()),
            relevance: values.iter().sum(),
        }
    }));
    // Rounding, in operations that conserve.
    let numbers = numbers(ledger);
    lines.retain(|line| !numbers.is_zero(line.relevance as f32));
    lines
}

/// How the numbers of an account are written.
pub(super) fn numbers(ledger: &Ledger) -> Numbers {
    let entries = ledger.absorbed.iter().map(|entry| entry.relevance as f32);
    Numbers::up_to(largest(
        entries.chain([ledger.tokens as f32, ledger.target as f32]),
    ))
}

/// The sum of each kind of entry, the largest first: `bias -4.10, activation +3.39`; `nothing` where
/// no sum is large enough to be shown.
pub(super) fn by_kind(ledger: &Ledger) -> String {
    let mut kinds = ledger.by_kind();
    kinds.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
    let numbers = numbers(ledger);
    let kinds = kinds
        .iter()
        .filter(|(_, sum)| !numbers.is_zero(*sum as f32))
        .map(|(kind, sum)| format!("{kind} {}", numbers.signed(*sum as f32)));
    let kinds = kinds.collect::<Vec<_>>();
    if kinds.is_empty() {
        return "nothing".to_owned();
    }
    kinds.join(", ")
}

/// Whether the account closes, as a sentence without its full stop.
pub(super) fn closing(ledger: &Ledger) -> String {
    let unaccounted = Numbers::Scientific.signed(ledger.unaccounted as f32);
    if ledger.closes() {
        format!("the account closes: {unaccounted} is unaccounted")
    } else {
        format!(
            "the account does not close: {unaccounted} is unaccounted, by rounding of large numbers \
             that cancel, or because something is computed outside the model's operations"
        )
    }
}

/// The account, a bar a line.
pub(super) fn ansi(page: &mut Page, ledger: &Ledger) {
    let numbers = numbers(ledger);
    let mut lines = lines(ledger);
    lines.push(Line {
        label: "target".to_owned(),
        relevance: ledger.target,
    });
    let values: Vec<String> = lines
        .iter()
        .map(|line| numbers.signed(line.relevance as f32))
        .collect();
    let widest = |texts: &mut dyn Iterator<Item = &str>| texts.map(UnicodeWidthStr::width).max();
    let label_width = widest(&mut lines.iter().map(|line| line.label.as_str())).unwrap_or(0);
    let value_width = widest(&mut values.iter().map(String::as_str)).unwrap_or(0);
    let largest = lines
        .iter()
        .fold(0.0_f64, |largest, line| largest.max(line.relevance.abs()));
    let room = page.width().saturating_sub(label_width + value_width + 4);
    let half = if room < NARROWEST_BAR { 0 } else { room / 2 };

    for (line, value) in lines.iter().zip(values) {
        let length = half as f64 * line.relevance.abs() / largest;
        let length = if length.is_finite() {
            length.round() as usize
        } else {
            0
        };
        let bar = "█".repeat(length);
        // The sum, apart from what is added up.
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
            page.paragraph(&text, PLAIN);
            continue;
        }
        page.write(&text, PLAIN);
        page.write(&" ".repeat(before), PLAIN);
        page.write(&bar, style);
        page.end_line();
    }
    page.paragraph(&format!("by kind: {}", by_kind(ledger)), PLAIN);
    page.paragraph(&closing(ledger), PLAIN);
}

fn foreground(colour: u8) -> Style {
    Style::new().fg_color(Some(Ansi256Color(colour).into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::ledger;

    #[test]
    fn the_lines_add_up_and_small_ones_are_gathered() {
        let ledger = ledger();
        let lines = lines(&ledger);
        let labels: Vec<&str> = lines.iter().map(|line| line.label.as_str()).collect();
        assert_eq!(
            labels,
            [
                "tokens",
                "activation at encoder.0.feed-forward.activation",
                "bias at classifier",
                "bias at 2 more sites",
                "shift at 1 site",
            ]
        );
        let sum: f64 = lines.iter().map(|line| line.relevance).sum();
        assert!((sum + ledger.unaccounted - ledger.target).abs() < 1e-12);
        assert_eq!(
            by_kind(&ledger),
            "activation +1.00, bias -0.59, shift -0.01"
        );
        let conserved = Ledger {
            absorbed: Vec::new(),
            ..ledger
        };
        assert_eq!(by_kind(&conserved), "nothing");
    }

    #[test]
    fn an_account_in_the_terminal() {
        let mut page = Page::new(70, false);
        ansi(&mut page, &ledger());
        insta::assert_snapshot!(page.finish(), @"
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

    #[test]
    fn a_gap_is_said() {
        let mut broken = ledger();
        broken.unaccounted = 0.25;
        assert!(closing(&broken).starts_with("the account does not close: +2.5e-1"));
        assert!(closing(&ledger()).starts_with("the account closes: +1.0e-7"));
    }
}
