//! A browser or a notebook: pages, and fragments of pages.
//!
//! Everything that is shown stands in one element of the class `relprop`, and every rule of
//! `style.css` starts with that class. So the style changes nothing around a fragment. A page is a
//! document around such a fragment.

mod comparison;
mod continuation;
mod evaluation;
mod ledger;
mod patches;
mod ranked;
mod report;
mod similarity;
mod tokens;
mod words;

use std::fmt::Write;
use std::sync::LazyLock;

use maud::{DOCTYPE, Markup, PreEscaped, html as markup};

pub use comparison::comparison_html;
pub use continuation::continuation_html;
pub use evaluation::evaluation_html;
pub use report::{Item, Report, html};
pub use similarity::similarity_html;

use crate::numbers::{Numbers, Scale};

/// How many depths a color has. A step between two of them cannot be seen.
const DEPTHS: u8 = 50;

/// The look of all pages and fragments. Each depth of color is a class, and no element has a style of its
/// own but the one that holds a picture: so a page may forbid styles that are not in a file.
pub(crate) static STYLE: LazyLock<String> = LazyLock::new(|| {
    let mut style = include_str!("style.css").to_owned();
    for depth in 0..=DEPTHS {
        let share = f32::from(depth) / f32::from(DEPTHS);
        writeln!(style, ".relprop .s{depth} {{ --s: {share:.2}; }}").expect("a text grows");
    }
    style
});

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
                style { (PreEscaped(STYLE.as_str())) }
                div.content { (self.content) }
            }
        }
    }
}

/// A cell of a table with the number in it, in its color.
fn number_cell(relevance: f32, scale: Scale, numbers: Numbers) -> Markup {
    let shade = scale.shade(relevance);
    markup! {
        td class={ "number w " (shaded(shade)) } {
            (minus(&numbers.signed(relevance)))
        }
    }
}

/// The classes of a color, for a shade in `[-1, 1]`: `for s50`, `against s3`.
fn shaded(shade: f32) -> String {
    let side = if shade < 0.0 { "against" } else { "for" };
    format!("{side} s{:.0}", shade.abs() * f32::from(DEPTHS))
}

/// A share in `[0, 1]` as a bar.
fn bar(share: f32) -> Markup {
    markup! {
        svg.bar aria-hidden="true" {
            rect.rest width="100%" height="100%" {}
            rect width=(format!("{:.1}%", share * 100.0)) height="100%" {}
        }
    }
}

/// Sets a proper minus sign: a hyphen is too short beside a plus.
fn minus(text: &str) -> String {
    text.replace('-', "−")
}

#[cfg(test)]
mod tests;
