//! A browser or a notebook: pages, and fragments of pages.
//!
//! Everything that is shown stands in one element of the class `relprop`, and every rule of
//! `style.css` starts with that class. So the style changes nothing around a fragment. A page is a
//! document around such a fragment.

mod continuation;
mod evaluation;
mod ledger;
mod patches;
mod ranked;
mod report;
mod similarity;
mod tokens;
mod words;

use maud::{DOCTYPE, Markup, PreEscaped, html as markup};

pub use continuation::continuation_html;
pub use evaluation::evaluation_html;
pub use report::{Item, Report, html};
pub use similarity::similarity_html;

use crate::numbers::{Numbers, Scale};

/// The look of all pages and fragments.
const STYLE: &str = include_str!("style.css");

/// A report for a browser. It needs no other file, no script and no network, follows the light or
/// dark mode of the system, and can be printed. Every text in it is escaped.
#[derive(Clone, Debug)]
pub struct Html {
    title: String,
    /// Whether it holds wide tables.
    wide: bool,
    content: Markup,
}

impl Html {
    /// A heading, names and values below it, and then the body.
    fn new(title: &str, facts: &[(String, String)], wide: bool, body: &Markup) -> Self {
        let content = markup! {
            @if !title.is_empty() { h1 { (title) } }
            @if !facts.is_empty() {
                dl.facts {
                    @for (name, value) in facts { div { dt { (name) } dd { (value) } } }
                }
            }
            (body)
        };
        Self {
            title: title.to_owned(),
            wide,
            content,
        }
    }

    /// A whole document, for a file of its own.
    pub fn page(&self) -> String {
        let page = markup! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    meta name="generator" content="relprop";
                    title { (self.title) }
                }
                body style="margin:0" { (self.element(true)) }
            }
        };
        page.into_string()
    }

    /// One element, for a notebook or a page of your own. It has no ids, and its style changes
    /// nothing else, so a document may hold any number of fragments.
    pub fn fragment(&self) -> String {
        self.element(false).into_string()
    }

    fn element(&self, page: bool) -> Markup {
        markup! {
            div.relprop.page[page].wide[self.wide] lang="en" {
                style { (PreEscaped(STYLE)) }
                div.content { (self.content) }
            }
        }
    }
}

/// A cell of a table with the number in it, in its color.
fn number_cell(relevance: f32, scale: Scale, numbers: Numbers) -> Markup {
    let shade = scale.shade(relevance);
    markup! {
        td.number.w.against[shade < 0.0].for[shade >= 0.0] style=(strength(shade)) {
            (minus(&numbers.signed(relevance)))
        }
    }
}

/// The depth of a color, for a shade in `[-1, 1]`.
fn strength(shade: f32) -> String {
    format!("--s:{:.3}", shade.abs())
}

/// Sets a proper minus sign: a hyphen is too short beside a plus.
fn minus(text: &str) -> String {
    text.replace('-', "−")
}

#[cfg(test)]
mod tests;
