//! Whole models: what flows back through them, in any batch, precision and architecture, and where it goes.

mod explicit;
mod ledger;
mod paper;
mod precision;
mod threads;
mod white_box;
mod whole;
