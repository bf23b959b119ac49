//! The ledger of a target, summed up in the lines that every writer shows.

use relprop_explain::Ledger;

use crate::numbers::{Numbers, largest};

/// The largest number of entries with a line of their own.
const LINES: usize = 10;
/// An entry of less than this fraction of the largest line has no line of its own.
const SMALL: f64 = 0.03;

/// One line of an account.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Line {
    /// `tokens`, `bias at encoder.0.attention.output`, `bias at 12 more sites`.
    pub label: String,
    /// Its relevance.
    pub relevance: f64,
}

/// The tokens, then the largest entries, the largest first, then the other entries summed by kind.
/// They add up to the target minus the unaccounted part. A line that would show as zero is left
/// out.
pub(crate) fn lines(ledger: &Ledger) -> Vec<Line> {
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
    // An operation that conserves absorbs no more than rounding.
    let numbers = numbers(ledger);
    lines.retain(|line| !numbers.is_zero(line.relevance as f32));
    lines
}

/// How the numbers of an account are written.
pub(crate) fn numbers(ledger: &Ledger) -> Numbers {
    let entries = ledger.absorbed.iter().map(|entry| entry.relevance as f32);
    Numbers::up_to(largest(
        entries.chain([ledger.tokens as f32, ledger.target as f32]),
    ))
}

/// The sum of each kind of entry, the largest first: `bias -4.10, activation +3.39`; `nothing` where
/// no sum is large enough to be shown.
pub(crate) fn by_kind(ledger: &Ledger) -> String {
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
pub(crate) fn closing(ledger: &Ledger) -> String {
    let unaccounted = Numbers::Scientific.signed(ledger.unaccounted as f32);
    if ledger.closes() {
        format!("the account closes: {unaccounted} is unaccounted")
    } else {
        format!(
            "the account does not close: {unaccounted} is unaccounted, either because large numbers \
             cancel and their rounding is left, or because the model computes something outside its \
             operations"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::ledger;

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
    fn a_gap_is_said() {
        let mut broken = ledger();
        broken.unaccounted = 0.25;
        assert!(closing(&broken).starts_with("the account does not close: +2.5e-1"));
        assert!(closing(&ledger()).starts_with("the account closes: +1.0e-7"));
    }
}
