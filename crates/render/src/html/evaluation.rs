//! The page of an evaluation.

use maud::{Markup, PreEscaped, html as markup};

use relprop_evaluate::{Better, Results, Summary};

use super::{Html, minus};
use crate::evaluation::{decimals, judges};
use crate::svg::evaluation_curves;

/// What was measured: the facts, the table, the curves, the meaning of each metric, and the command
/// that repeats the run.
pub fn evaluation_html(results: &Results, facts: &[(String, String)], command: &str) -> Html {
    let body = markup! {
        section.guide {
            h2 { "How to read this" }
            p {
                "Each row is a way to explain the model, and each column is a measure of how good "
                "its explanations are: the mean over texts, and below it the 95\u{a0}% bootstrap "
                "interval. The best mean of a column is " b.best { "bold" }
                ". Where the interval of another mean holds the best one, that way may be as good."
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
            h2 { "Meaning of each measure" }
            dl.about {
                @for metric in &results.metrics {
                    div { dt { (metric.name) } dd { (metric.about) " (" (judges(metric.better).unwrap_or("neither high nor low is better")) ")" } }
                }
            }
        }
        article {
            h2 { "Repeat it" }
            pre.command { (command) }
        }
    };
    Html::new("Which explanation is faithful?", facts, true, &body)
}

/// One row for each method, one column for each metric.
fn table(results: &Results) -> Markup {
    markup! {
        div.scroll tabindex="0" role="group" aria-label="Measures" {
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
    let number = |value: f64| minus(&format!("{value:.decimals$}"));
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
    use super::*;
    use crate::fixtures::results;

    #[test]
    fn the_page_holds_everything_escaped_and_needs_nothing_from_outside() {
        let facts = [("Model".to_owned(), "a <i> & b".to_owned())];
        let page = evaluation_html(&results(), &facts, "relprop <i>").page();
        for tag in ["<i>", "<b>", "a & b", "<script"] {
            assert!(!page.contains(tag), "{tag} is not escaped");
        }
        // The namespace of SVG is a name, not an address that is fetched.
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
