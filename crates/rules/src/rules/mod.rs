//! The propagation rules.
//!
//! A rule for one operation is in the folder of that operation, `operations/<operation>/rules/`.
//! This module has the rules that serve several operations, and re-exports all others.

mod gradient;
mod half;

pub use gradient::Gradient;
pub use half::Half;

pub use crate::operations::activation::rules::*;
pub use crate::operations::attention::weights::rules::*;
pub use crate::operations::experts::rules::*;
pub use crate::operations::gate::rules::*;
pub use crate::operations::linear::rules::*;
pub use crate::operations::norm::rules::*;
pub use crate::operations::residual::rules::*;
