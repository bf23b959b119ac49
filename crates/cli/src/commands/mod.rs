//! What each command does.

mod demo;
mod devices;
mod evaluate;
mod explain;
mod generate;
mod inspect;
mod pictures;
mod rules;
mod train;
mod tune;

pub(crate) use demo::{REVIEWS, demo};
pub(crate) use devices::devices;
pub(crate) use evaluate::evaluate;
pub(crate) use explain::explain;
pub(crate) use inspect::inspect;
pub(crate) use rules::rules;
pub(crate) use train::train;
pub(crate) use tune::tune;
