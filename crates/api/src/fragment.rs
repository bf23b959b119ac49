//! Fragments of a page: which there are, and what a request calls them.

use serde::{Deserialize, Serialize};

/// A part of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fragment {
    /// All that a report has of a text, with its ledger and layers if they were asked for.
    Report,
    /// A report in a document of its own, to be kept.
    Page,
    /// A drawing of the heat map, if there is a single one.
    Svg,
}

impl Fragment {
    /// What a request calls them.
    pub const NAMES: [&str; 3] = ["report", "page", "svg"];
}
