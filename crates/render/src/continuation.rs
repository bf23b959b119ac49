//! Who drove whom: a table of the new tokens of a continuation against all tokens before them.

use anstyle::Style;
use maud::{Markup, html as markup};
use unicode_width::UnicodeWidthStr;

use super::flow::clean;
use super::html::{minus, page};
use super::numbers::{Numbers, largest, percent};
use super::page::{PLAIN, Page};
use super::palette::{step, style};
use relprop_explain::{Continuation, Step};

/// The widest that a token is shown.
const WIDEST: usize = 12;
/// The width of a column of numbers, with the gap before it.
const COLUMN: usize = 10;
const BOLD: Style = Style::new().bold();
const DIMMED: Style = Style::new().dimmed();

/// The table for the terminal, at most `width` columns wide: a row for each token, a column for each
/// new one. Where more columns are needed than fit, there are several tables. With `colour`, the
/// background of a number shows it; without, the text holds no escape code.
pub fn continuation_ansi(continuation: &Continuation, width: usize, colour: bool) -> String {
    let tokens = names(continuation);
    let widest = tokens.iter().map(|token| token.width()).max().unwrap_or(0);
    let mut page = Page::new(width.max(widest + 2 * COLUMN), colour);
    page.paragraph(&continuation.text, BOLD);
    let how = format!("{}, read at {}", continuation.by, continuation.at);
    page.paragraph(&how, DIMMED);
    if let Some(sampling) = continuation.sampling {
        page.paragraph(&format!("drawn at {sampling}"), DIMMED);
    }
    let columns = ((page.width() - widest) / COLUMN).max(1);
    for steps in continuation.steps.chunks(columns) {
        page.end_line();
        let mut write = |name: &str, name_style: Style, cells: Vec<(String, Style)>| {
            page.write(name, name_style);
            page.write(&" ".repeat(widest.saturating_sub(name.width())), PLAIN);
            for (text, cell_style) in cells {
                page.write(&" ".repeat(COLUMN.saturating_sub(text.width())), PLAIN);
                page.write(&text, cell_style);
            }
            page.end_line();
        };
        let heads = steps.iter().map(|step| (tokens[step.token].clone(), BOLD));
        write("", PLAIN, heads.collect());
        let sure = steps
            .iter()
            .map(|step| (percent(step.probability, 0), DIMMED));
        write("", PLAIN, sure.collect());
        let scales: Vec<_> = steps.iter().map(scale).collect();
        let rows = steps.last().map_or(0, |step| step.token);
        for (row, token) in tokens.iter().enumerate().take(rows) {
            let cells = steps.iter().zip(&scales).map(|(of, (largest, numbers))| {
                let Some(&relevance) = of.relevance.get(row) else {
                    return (String::new(), PLAIN);
                };
                let shade = shade(relevance, *largest);
                let text = numbers.signed(relevance);
                match step(shade) {
                    0 => (text, DIMMED),
                    _ => (text, style(shade)),
                }
            });
            let new = row >= continuation.prompt;
            write(token, if new { BOLD } else { PLAIN }, cells.collect());
        }
    }
    page.finish()
}

/// The table as one HTML file that needs no other file, no script and no network.
pub fn continuation_html(continuation: &Continuation) -> String {
    let chosen = match continuation.sampling {
        Some(sampling) => format!("drawn at {sampling}"),
        None => "the likeliest each time".to_owned(),
    };
    let facts = [
        ("Model", continuation.model.family.clone()),
        ("By", continuation.by.clone()),
        ("Read at", continuation.at.clone()),
        ("New tokens", chosen),
        ("Version", format!("relprop {}", continuation.version)),
    ];
    let facts = facts.map(|(name, value)| (name.to_owned(), value));
    let tokens = names(continuation);
    let body = markup! {
        section.guide {
            p {
                "Each column is a token that the model added, and shows what its logit rests on: a "
                b.for { "blue" } " token speaks for it, a " b.against { "red" } " one against it. "
                "Colours are comparable within a column."
            }
        }
        article {
            p { (continuation.text) }
            div.scroll {
                table {
                    thead {
                        tr {
                            th scope="col" { "token" }
                            @for step in &continuation.steps {
                                th.number scope="col" {
                                    (tokens[step.token]) " " small { (percent(step.probability, 0)) }
                                }
                            }
                        }
                    }
                    tbody {
                        @for (row, token) in tokens.iter().enumerate() {
                            tr.special[continuation.tokens[row].special] {
                                th scope="row" lang="" { (token) }
                                @for step in &continuation.steps { (cell(step, row)) }
                            }
                        }
                    }
                }
            }
        }
    };
    page("Why the model went on as it did", &facts, true, &body)
}

fn cell(step: &Step, row: usize) -> Markup {
    let Some(&relevance) = step.relevance.get(row) else {
        return markup! { td {} };
    };
    let (largest, numbers) = scale(step);
    let shade = shade(relevance, largest);
    markup! {
        td.number.w.against[shade < 0.0].for[shade >= 0.0] style={ (format!("--s:{:.3}", shade.abs())) } {
            (minus(&numbers.signed(relevance)))
        }
    }
}

/// The largest relevance of a column, and how its numbers are written.
fn scale(step: &Step) -> (f32, Numbers) {
    let largest = largest(step.relevance.iter().copied());
    (largest, Numbers::up_to(largest))
}

fn shade(relevance: f32, largest: f32) -> f32 {
    match largest > 0.0 && relevance.is_finite() {
        true => (relevance / largest).clamp(-1.0, 1.0),
        false => 0.0,
    }
}

/// Every token as it stands in the text, with a sign for what cannot be seen; a special one, and one
/// that stands for nothing, as the vocabulary has it.
fn names(continuation: &Continuation) -> Vec<String> {
    let characters: Vec<char> = continuation.text.chars().collect();
    let name = |token: &relprop_explain::TokenRelevance| {
        let end = token.end.min(characters.len());
        let text: String = characters[token.start.min(end)..end].iter().collect();
        let text = match text.is_empty() {
            true => token.text.clone(),
            false => text,
        };
        let text = clean(&text);
        let mut short = String::new();
        for character in text.chars() {
            if short.width() >= WIDEST {
                short.push('…');
                break;
            }
            short.push(character);
        }
        short
    };
    continuation.tokens.iter().map(name).collect()
}
