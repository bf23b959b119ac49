//! A report for the browser, as one file.

use std::ops::Range;

use image::DynamicImage;
use maud::{DOCTYPE, Markup, PreEscaped, html as markup};

use super::account::Account;
use super::ansi::dropped;
use super::numbers::{Numbers, names, percent, probability};
use relprop_explain::Explanation;

mod ledger;
mod patches;
mod picture;
mod table;

use ledger::ledger;
use picture::picture;
use table::table;

/// What all pages look like.
const STYLE: &str = include_str!("report.css");

/// What one page shows.
#[derive(Clone, Copy, Debug)]
pub struct Report<'a> {
    /// The heading, and the title of the browser's tab.
    pub title: &'a str,
    /// Names and values for the top of the page: model, accuracy, device, version.
    pub facts: &'a [(String, String)],
    /// The texts, in the order shown. An item without explanations is left out.
    pub items: &'a [Item<'a>],
}

/// One text, or picture, of a report.
#[derive(Clone, Copy, Debug)]
pub struct Item<'a> {
    /// The same text under one or several rule sets; the first is the main one.
    pub explanations: &'a [Explanation],
    /// A remark below the picture.
    pub note: Option<&'a str>,
    /// Known evidence, underlined: ranges of the text in characters, in any order.
    pub evidence: &'a [Range<usize>],
    /// The picture, if it is one. Without it, its heat map lies on nothing.
    pub picture: Option<&'a DynamicImage>,
}

/// The report as one HTML file that needs no other file, no script and no network.
///
/// It follows the light or dark mode of the system and can be printed. Every text in it is
/// escaped.
pub fn html(report: &Report) -> String {
    let items = || {
        report
            .items
            .iter()
            .filter(|item| !item.explanations.is_empty())
    };
    let several = items().any(|item| item.explanations.len() > 1);
    let evidence = items().any(|item| !item.evidence.is_empty());
    let pictures = items().all(|item| item.explanations[0].picture.is_some());
    let body = markup! {
        (guide(pictures, several, evidence))
        @for (index, item) in items().enumerate() { (text(index + 1, item)) }
    };
    page(report.title, report.facts, false, &body)
}

/// A whole page, `wide` for tables: its heading, the facts at its top, and its body.
pub(super) fn page(title: &str, facts: &[(String, String)], wide: bool, body: &Markup) -> String {
    let page = markup! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="generator" content="relprop";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                main.wide[wide] {
                    header.top {
                        h1 { (title) }
                        @if !facts.is_empty() {
                            dl.facts {
                                @for (name, value) in facts { div { dt { (name) } dd { (value) } } }
                            }
                        }
                    }
                    (body)
                }
            }
        }
    };
    page.into_string()
}

/// How to read the picture, with the legend.
fn guide(pictures: bool, several: bool, evidence: bool) -> Markup {
    let (thing, part) = if pictures {
        ("picture", "patch")
    } else {
        ("text", "word")
    };
    let parts = if pictures { "patches" } else { "words" };
    markup! {
        section.guide {
            h2 { "How to read this" }
            p {
                "The model turned each " (thing) " into one number, the target. Relevance propagation "
                "follows that number back to the " (parts) ": a "
                b.for { "blue" } " " (part) " speaks for the target, a "
                b.against { "red" } " " (part) " against it. The deeper the colour, the more of the "
                "target it carries; the deepest marks the strongest " (part) " of each picture, so "
                "compare colours within a picture and numbers between pictures. The numbers are "
                "in units of the target. What is missing of it sits in biases and in operations "
                "whose rule does not conserve."
                @if evidence { " Words that are " span.evidence { "underlined" } " are known evidence." }
                @if several { " Below each " (thing) ", the same decision under other rules." }
            }
            div.legend {
                span { "against the target" }
                span.gradient {}
                span { "for the target" }
            }
        }
    }
}

/// One text: the decision, the picture, the comparison, the table.
fn text(number: usize, item: &Item) -> Markup {
    let Some((main, others)) = item.explanations.split_first() else {
        return markup! {};
    };
    markup! {
        article {
            h2 { @if main.picture.is_some() { "Picture " } @else { "Text " } (number) }
            (decision(main))
            @if let Some(info) = &main.picture {
                p.note { (main.text) }
                div.pictures {
                    @if let Some(drawn) = item.picture { (patches::picture(info, drawn, number)) }
                    (patches::map(main, info, item.picture.map(|_| number)))
                }
            } @else {
                (picture(main, item.evidence, true))
            }
            (account(main))
            (ledger(main))
            @if let Some(dropped) = dropped(main) { p.note { (dropped) "." } }
            @if let Some(note) = item.note { p.note { (note) } }
            @if !others.is_empty() {
                section.others {
                    h3 { "Under other rules" }
                    @for other in others { (comparison(number, other, item)) }
                }
            }
            (table(item.explanations))
        }
    }
}

/// The prediction and how sure it is, the target, the rules.
fn decision(explanation: &Explanation) -> Markup {
    let (prediction, label) = names(explanation);
    let Explanation {
        target,
        method,
        rules,
        at,
        ..
    } = explanation;
    let value = Numbers::up_to(target.value.abs()).signed(target.value);
    markup! {
        dl.decision {
            div {
                dt { "Prediction" }
                dd {
                    strong { (prediction) }
                    @if let Some(probability) = probability(explanation) {
                        " " span.number { (percent(probability, 1)) }
                        span.bar role="presentation" {
                            span style=(format!("width:{:.1}%", probability * 100.0)) {}
                        }
                    }
                }
            }
            div { dt { "Target" } dd { (label) " " span.number { (minus(&value)) } } }
            @if rules.is_empty() {
                div { dt { "Method" } dd { (method) } }
            } @else {
                div { dt { "Rules" } dd { (rules) " " small { (method) ", read at " (at) } } }
            }
        }
    }
}

/// The sums below a picture.
fn account(explanation: &Explanation) -> Markup {
    let account = Account::of(explanation);
    let sums = account.sums();
    markup! {
        p.account {
            @for (name, sum) in &sums { span { (name) " " span.number { (minus(sum)) } } }
            span.held { "The " (minus(&account.held())) "." }
        }
    }
}

/// One of the other rule sets: its name and sums beside a small picture.
fn comparison(number: usize, explanation: &Explanation, item: &Item) -> Markup {
    let account = Account::of(explanation);
    let total = minus(&account.numbers().signed(account.total));
    markup! {
        div.other {
            div {
                strong { (explanation.title()) }
                p.number {
                    (total)
                    @if let Some(share) = account.share() {
                        span.share { (minus(&percent(share, 0))) " of the target" }
                    }
                }
            }
            @if let Some(info) = &explanation.picture {
                (patches::map(explanation, info, item.picture.map(|_| number)))
            } @else {
                (picture(explanation, item.evidence, false))
            }
        }
    }
}

/// Sets a proper minus sign: a hyphen is too short beside a plus.
pub(super) fn minus(text: &str) -> String {
    text.replace('-', "−")
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::sample::explanation;

    pub fn report(explanations: &[Explanation], evidence: &[Range<usize>]) -> String {
        let items = [Item {
            explanations,
            note: Some("a & b"),
            evidence,
            picture: None,
        }];
        html(&Report {
            title: "T <i>",
            facts: &[("Model".into(), "x<y".into())],
            items: &items,
        })
    }

    #[test]
    fn every_text_is_escaped() {
        let text = "<script>alert(\"x\")</script> & 'so'";
        let mut sample = explanation(text, &[("<script>", 1.0), ("\"", -1.0), ("&", 0.1)]);
        sample.tokens[1].text = "<script>".into();
        sample.labels[1] = "<b>".into();
        sample.prediction = "<b>".into();
        sample.target.label = "<b>\"".into();
        sample.rules = "\"><u>".into();
        let page = report(&[sample.clone(), sample], &[]);
        for tag in [
            "<script",
            "<i>",
            "<b>",
            "<u>",
            "x<y",
            "a & b",
            "title=\"\"\"",
        ] {
            assert!(!page.contains(tag), "{tag} is not escaped");
        }
        assert!(page.contains("title=\"&lt;script&gt; +1.00\""), "{page}");
        assert!(page.contains("a &amp; b"));
    }

    #[test]
    fn the_page_needs_nothing_from_outside() {
        let page = report(&[explanation("a", &[("a", 1.0)])], &[]);
        for sign in ["http", "src=", "href=", "url(", "@import"] {
            assert!(!page.contains(sign), "{sign} is in the page");
        }
        assert!(page.starts_with("<!DOCTYPE html><html lang=\"en\">"));
    }

    #[test]
    fn other_rules_are_compared_and_tabled() {
        let main = explanation("a", &[("a", 1.05)]);
        let mut other = explanation("a", &[("a", -4.2)]);
        other.rules = "libra".into();
        let page = report(&[main, other], &[]);
        assert!(
            page.contains("<strong>libra</strong><p class=\"number\">−4.20"),
            "{page}"
        );
        assert!(page.contains("−200\u{a0}% of the target"));
        assert!(page.contains("<th class=\"number\" scope=\"col\">libra</th>"));
        assert!(page.contains("The tokens hold +1.05 of +2.10 (50\u{a0}%); the rest sits in"));
    }

    #[test]
    fn nothing_relevant_and_nothing_at_all_are_pages_too() {
        let page = report(&[explanation("a", &[("a", 0.0)])], &[]);
        assert!(
            page.contains("--s:0.000") && !page.contains("NaN"),
            "{page}"
        );
        assert!(!report(&[], &[]).contains("<article>"));
        assert!(report(&[explanation("", &[])], &[]).contains("<article>"));
    }
}
