//! The page for the browser.

use maud::{Markup, PreEscaped, html as markup};

use super::{decimals, evaluation_curves};
use crate::html::page;
use relprop_evaluate::{Better, Results, Summary};

/// What was measured, as one HTML file that needs no other file, no script and no network: the facts,
/// the table, the curves, what each metric means, and the command that repeats the run. Every text in
/// it is escaped.
pub fn evaluation_page(results: &Results, facts: &[(String, String)], command: &str) -> String {
    let body = markup! {
        section.guide {
            h2 { "How to read this" }
            p {
                "Each row is a way to explain the model, each column a measure of how good "
                "its explanations are: the mean over texts, with the 95\u{a0}% bootstrap "
                "interval below. The best mean of a column is " b.best { "marked" }
                "; another whose interval holds it may be as good."
            }
        }
        article {
            h2 { "Measures" }
            (table(results))
        }
        @if let Some(svg) = evaluation_curves(results) {
            article {
                h2 { "Curves" }
                figure.curves { (PreEscaped(svg)) }
            }
        }
        article {
            h2 { "What is measured" }
            dl.about {
                @for metric in &results.metrics {
                    div { dt { (metric.name) } dd { (metric.about) " (" (good(metric.better)) ")" } }
                }
            }
        }
        article {
            h2 { "Repeat it" }
            pre.command { (command) }
        }
    };
    page("Which explanation is faithful?", facts, true, &body)
}

fn good(better: Better) -> &'static str {
    match better {
        Better::Higher => "higher is better",
        Better::Lower => "lower is better",
        Better::Neither => "neither high nor low is better",
    }
}

/// A row a method, a column a metric.
fn table(results: &Results) -> Markup {
    markup! {
        div.scroll {
            table.measures {
                thead {
                    tr {
                        th scope="col" { "method" }
                        @for metric in &results.metrics {
                            th.number scope="col" {
                                (metric.name)
                                @match metric.better {
                                    Better::Higher => " ↑",
                                    Better::Lower => " ↓",
                                    Better::Neither => "",
                                }
                            }
                        }
                    }
                }
                tbody {
                    @for (place, method) in results.methods.iter().enumerate() {
                        tr {
                            th scope="row" { (method.name) }
                            @for (index, summary) in method.metrics.iter().enumerate() {
                                (cell(results, index, place, summary))
                            }
                        }
                    }
                }
            }
        }
    }
}

fn cell(results: &Results, index: usize, place: usize, summary: &Summary) -> Markup {
    let Some(interval) = summary.mean else {
        return markup! { td.number { "–" } };
    };
    let column: Vec<&Summary> = results.methods.iter().map(|m| &m.metrics[index]).collect();
    let decimals = decimals(&column);
    let number = |value: f64| format!("{value:.decimals$}").replace('-', "−");
    let title = format!("{} texts", summary.texts);
    markup! {
        td.number.best[results.best(index) == Some(place)] title=(title) {
            (number(interval.mean))
            small { (number(interval.low)) " – " (number(interval.high)) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::results;
    use super::*;

    #[test]
    fn the_page_holds_everything_escaped_and_needs_nothing_from_outside() {
        let facts = [("Model".to_owned(), "a <i> & b".to_owned())];
        let page = evaluation_page(&results(), &facts, "relprop <i>");
        for tag in ["<i>", "<b>", "a & b", "<script"] {
            assert!(!page.contains(tag), "{tag} is not escaped");
        }
        // The name space of SVG is a name, not an address that is fetched.
        let outside = page.replace("http://www.w3.org/2000/svg", "");
        for sign in ["http", "src=", "href=", "url(", "@import"] {
            assert!(!outside.contains(sign), "{sign} is in the page");
        }
        for text in ["auac ↑", "au-mse ↓", "about sparseness", "0.750", "−", "–"] {
            assert!(page.contains(text), "{text}");
        }
        assert_eq!(page.matches("number best").count(), 2);
    }
}
