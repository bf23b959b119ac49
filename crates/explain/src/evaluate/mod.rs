//! Which explanation is faithful to the model?
//!
//! A faithful method knows which tokens matter. So show the model the tokens that a method ranks
//! first, and the decision should return at once; take away those that it ranks last, and the
//! decision should stay. [`faithfulness`] draws these curves for any [`Method`]; see [`curves`] for
//! the protocol of Ali et al. 2022, which the areas under them follow.

pub mod curves;
mod interval;
mod method;

pub use curves::{Curve, Sample, TextCurves, area, faithfulness};
pub use interval::{Interval, mean_with_interval};
pub use method::{Method, Random};
