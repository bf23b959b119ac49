//! What each command does.

mod compare;
mod demo;
mod devices;
mod evaluate;
mod explain;
mod inspect;
mod rules;
mod serve;
mod shell;
mod similar;
mod train;
mod tune;

pub(crate) use demo::demo;
pub(crate) use devices::devices;
pub(crate) use evaluate::evaluate;
pub(crate) use explain::explain;
pub(crate) use inspect::inspect;
pub(crate) use rules::rules;
pub(crate) use serve::serve;
pub(crate) use shell::{completions, man};
pub(crate) use similar::similar;
pub(crate) use train::train;
pub(crate) use tune::tune;
