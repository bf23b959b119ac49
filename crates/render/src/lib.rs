#![doc = include_str!("../README.md")]

mod colors;
mod comparison;
mod continuation;
mod evaluation;
#[cfg(test)]
mod fixtures;
mod flow;
mod header;
mod hops;
mod html;
mod json;
mod ledger;
mod numbers;
pub mod page;
mod png;
mod ranked;
mod segments;
mod similarity;
mod sums;
mod svg;
mod terminal;

pub use flow::printable;
pub use header::facts;
pub use html::{
    Html, Item, Report, comparison_html, continuation_html, evaluation_html, html, similarity_html,
};
pub use json::{NotFinite, json, jsonl};
pub use png::overlay;
pub use svg::{evaluation_curves, svg};
pub use terminal::{
    ansi, comparison_ansi, continuation_ansi, evaluation_table, labelling_ansi, similarity_ansi,
    zero_shot_ansi,
};
