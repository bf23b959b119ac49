//! What several metrics need: no metrics themselves.

pub(super) mod evidence;
pub(super) mod rationale;
