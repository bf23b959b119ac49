//! An evaluation as a table.

use std::fmt::Write;

use unicode_width::UnicodeWidthStr;

use crate::evaluation::{decimals, judges};
use relprop_evaluate::{Results, Summary};

/// The gap between two columns.
const GAP: &str = "  ";

/// A column: its head of two lines, and a cell for each method.
struct Column {
    lines: Vec<String>,
}

/// One line for each method, in the order in which they were asked for. As many metrics stand side
/// by side as fit into `width` columns of the terminal; the others stand below. A star marks the
/// best mean.
pub fn evaluation_table(results: &Results, width: usize) -> String {
    let names = ["method", ""].into_iter();
    let names = names.chain(results.methods.iter().map(|method| method.name.as_str()));
    let names = Column {
        lines: names.map(str::to_owned).collect(),
    };
    let columns: Vec<Column> = (0..results.metrics.len())
        .map(|i| column(results, i))
        .collect();
    let mut table = String::new();
    let mut rest = columns.as_slice();
    while !rest.is_empty() {
        let mut used = names.width();
        let fits = rest.iter().take_while(|column| {
            used += GAP.len() + column.width();
            used <= width
        });
        // A column that is too wide by itself is shown all the same.
        let (block, others) = rest.split_at(fits.count().max(1));
        for line in 0..names.lines.len() {
            let mut text = names.cell(line);
            block
                .iter()
                .for_each(|column| text += &format!("{GAP}{}", column.cell(line)));
            table += text.trim_end();
            table += "\n";
        }
        table += "\n";
        rest = others;
    }
    // Writing to a string cannot fail.
    let _ = writeln!(
        table,
        "{} texts; in brackets 95 % bootstrap intervals; * the best mean",
        results.texts
    );
    table
}

fn column(results: &Results, index: usize) -> Column {
    let metric = &results.metrics[index];
    let summaries: Vec<&Summary> = results.methods.iter().map(|m| &m.metrics[index]).collect();
    let decimals = decimals(&summaries);
    let good = judges(metric.better).unwrap_or_default();
    let best = results.best(index);
    let numbers = summaries.iter().map(|summary| {
        let interval = summary.mean?;
        let numbers = [interval.mean, interval.low, interval.high];
        Some(numbers.map(|number| format!("{number:.decimals$}")))
    });
    let numbers: Vec<Option<[String; 3]>> = numbers.collect();
    let width = |part: usize| {
        let lengths = numbers.iter().flatten().map(|numbers| numbers[part].len());
        lengths.max().unwrap_or(0)
    };
    let (first, second, third) = (width(0), width(1), width(2));
    let cells = numbers
        .iter()
        .enumerate()
        .map(|(place, numbers)| match numbers {
            None => "-".to_owned(),
            Some([mean, low, high]) => {
                let star = if best == Some(place) { "*" } else { " " };
                format!("{mean:>first$}{star}[{low:>second$} {high:>third$}]")
            }
        });
    let head = [metric.name.clone(), good.to_owned()].into_iter();
    Column {
        lines: head.chain(cells).collect(),
    }
}

impl Column {
    fn width(&self) -> usize {
        self.lines
            .iter()
            .map(|line| line.width())
            .max()
            .unwrap_or(0)
    }

    fn cell(&self, line: usize) -> String {
        let text = &self.lines[line];
        format!("{text}{}", " ".repeat(self.width() - text.width()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::results;

    #[test]
    fn metrics_stand_side_by_side_while_they_fit() {
        insta::assert_snapshot!(evaluation_table(&results(), 80));
        insta::assert_snapshot!(evaluation_table(&results(), 40));
    }

    #[test]
    fn a_narrow_terminal_still_gets_every_metric() {
        let table = evaluation_table(&results(), 1);
        assert!(
            ["auac", "au-mse", "sparseness"]
                .iter()
                .all(|name| table.contains(name))
        );
    }
}
