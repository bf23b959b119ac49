//! Showing explanations: a heat map for the terminal, a report for the browser, JSON for programs.
//!
//! | for | function | what it gives |
//! | --- | --- | --- |
//! | a terminal | [`ansi()`] | a heat map, with or without colour, as wide as the terminal |
//! | a browser or a printer | [`html()`] | one file that holds everything it needs |
//! | any of them | [`evaluation_table`], [`evaluation_page`], [`evaluation_curves`] | what [`evaluate`](relprop_evaluate) found |
//! | a viewer of pictures | [`overlay()`] | a picture with its heat map over it, as a PNG |
//! | a program | [`json()`], [`jsonl()`] | [`Explanation`](relprop_explain::Explanation)s that read back unchanged |
//!
//! The pictures agree on how they show a number. A word is coloured by its relevance divided by
//! the largest absolute relevance of a word in the same text, so the deepest colour always marks
//! the strongest word. The words of a picture are its patches. Blue speaks for the target, red against it.

mod account;
mod ansi;
mod continuation;
mod evaluation;
mod flow;
mod html;
mod json;
mod ledger;
mod numbers;
mod overlay;
mod page;
mod palette;
mod patches;
#[cfg(test)]
mod sample;
mod segments;

pub use ansi::ansi;
pub use continuation::{continuation_ansi, continuation_html};
pub use evaluation::{evaluation_curves, evaluation_page, evaluation_table};
pub use flow::printable;
pub use html::{Item, Report, html};
pub use json::{NotFinite, json, jsonl};
pub use overlay::overlay;
