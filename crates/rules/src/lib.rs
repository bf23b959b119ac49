//! Propagation rules for Transformers, on Burn.
//!
//! Layer-wise relevance propagation is Gradient x Input on a network whose forward values are
//! untouched and whose backward pass has been changed in a few places. So here
//!
//! > a [`Rule`] computes exactly what the [`Operation`] computes, and changes only what flows back.
//!
//! A model is written in terms of operations and runs them through a [`Pass`]. The pass looks up
//! the rule that a [`RuleSet`] gives to each *site* of the model, applies it, and places probes
//! where relevance is to be read.
//!
//! ```
//! use burn::tensor::{Device, Tensor};
//! use relprop_rules::{Pass, Registry, RuleSet, Site, operations::Norm};
//!
//! // A "model" of one operation. Real ones live in `relprop-transformer`.
//! fn model(x: Tensor<3>, pass: &mut Pass) -> Tensor<3> {
//!     let x = pass.signal("input", x);
//!     pass.apply("norm", &Norm::plain(1e-5), x)
//! }
//!
//! let device = Device::flex();
//! let x = Tensor::<3>::from_data([[[1.0, 2.0, 4.0]]], &device);
//!
//! // Which sites are there, and which rule does each get?
//! let mut trace = Pass::trace();
//! model(x.clone(), &mut trace);
//! let sites: Vec<Site> = trace.into_sites();
//! let rules = RuleSet::preset("ln")?.bind(&sites, &Registry::default())?;
//!
//! // Run the model under these rules and read the relevance of its input.
//! let mut pass = Pass::new(&rules).with_probe("input");
//! let y = model(x, &mut pass).slice([0..1, 0..1, 2..3]).sum();
//! let relevance = pass.backward(y.clone()).take::<3>("input")?;
//!
//! // The LN-rule conserves: what is at the input is what is at the output.
//! assert!((relevance.sum().into_scalar::<f32>() - y.into_scalar::<f32>()).abs() < 1e-5);
//! # Ok::<(), relprop_rules::RuleError>(())
//! ```
//!
//! # Axes
//!
//! Hidden states are `[batch, position, feature]`. Inside attention they are
//! `[batch, head, position, feature]`, and scores and weights `[batch, head, query, key]`.

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
pub use ledger::{Absorbed, Ledger, Stage, Terms};
pub use operation::{Operation, Signal, Site};
pub use pass::Pass;
pub use probe::{Probe, Reading, Relevance};
pub use rule::Rule;
pub use rule_set::{Assignment, BoundRules, Pattern, Registry, RuleSet, find_site};
pub use signals::{Signals, Watched};

/// The page for authors of rules: its programs run as tests.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/add-a-rule.md")]
struct AddARule;
