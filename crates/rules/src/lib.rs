#![doc = include_str!("../README.md")]

pub mod algebra;
mod check;
mod error;
pub mod explicit;
#[cfg(feature = "flex")]
mod flex;
mod ledger;
mod operation;
pub mod operations;
mod pass;
pub mod precision;
mod probe;
mod rule;
mod rule_set;
pub mod rules;
mod signals;

pub use check::{RuleReport, check};
pub use error::RuleError;
pub use ledger::{Absorbed, Ledger, Stage};
pub use operation::{Operation, Rows, Signal, Site};
pub use pass::Pass;
pub use probe::{Probe, Reading, Relevance};
pub use rule::Rule;
pub use rule_set::{Assignment, BoundRules, Pattern, Registry, RuleSet, find_site};
pub use signals::{Signals, Watched};

/// The page for authors of rules: its programs run as tests.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/add-a-rule.md")]
struct AddARule;
