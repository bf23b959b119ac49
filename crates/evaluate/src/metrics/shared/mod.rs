//! Code that several metrics share. No file here is a metric.

pub(super) mod evidence;
pub(super) mod rationale;
pub(super) mod steps;
