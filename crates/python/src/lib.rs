//! The part of relprop for Python that is written in Rust: a thin layer over the crates that every front end
//! uses. `python/relprop` has the classes and functions that users see.

mod compare;
mod compute;
mod documents;
mod errors;
mod evaluation;
mod explanation;
mod json;
mod ledger;
mod matrix;
mod measured;
mod model;
mod pictured;
mod rules;
mod similar;
mod table;
mod warnings;

use std::ffi::OsString;

use pyo3::prelude::*;

/// The part of relprop that is written in Rust. Use the names of the package `relprop` instead.
#[pymodule]
mod _relprop {
    #[pymodule_export]
    use super::compare::compare;
    #[pymodule_export]
    use super::documents::{Comparison, Continuation, Labelling, Similarity, ZeroShot};
    #[pymodule_export]
    use super::errors::{DeviceError, ModelError};
    #[pymodule_export]
    use super::evaluation::{Evaluation, evaluate, tune};
    #[pymodule_export]
    use super::explanation::Explanation;
    #[pymodule_export]
    use super::ledger::Ledger;
    #[pymodule_export]
    use super::model::Model;
    #[pymodule_export]
    use super::rules::{RuleSet, presets};
    #[pymodule_export]
    use super::similar::similar;
    #[pymodule_export]
    use super::table::{Table, table};
    #[pymodule_export]
    use super::{devices, run, version};
}

/// Runs the program on these arguments, the first of which is its name, and returns its exit code.
#[pyfunction]
fn run(py: Python<'_>, arguments: Vec<OsString>) -> u8 {
    py.detach(|| relprop_cli::run(arguments))
}

/// A list of the devices that are compiled in and found.
#[pyfunction]
fn devices(py: Python<'_>) -> String {
    py.detach(relprop_engine::devices)
}

/// The version of relprop.
#[pyfunction]
fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}
