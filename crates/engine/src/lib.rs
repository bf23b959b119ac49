#![doc = include_str!("../README.md")]
#![cfg_attr(
    feature = "hub",
    allow(
        clippy::result_large_err,
        reason = "what the Hub says is long, and rare"
    )
)]

mod any_model;
mod columns;
mod compare;
mod device;
mod error;
mod fault;
mod group;
pub mod measure;
mod methods;
mod model;
mod picture;
mod precision;
mod process;
mod request;
mod row;
mod rules;
mod table;
mod threads;

pub use any_model::AnyModel;
pub use columns::{Extras, columns_of};
pub use compare::CompareRequest;
pub use device::{device, devices};
pub use error::EngineError;
pub use fault::{Fault, caught};
pub use group::{FoundText, Group, Worker};
pub use methods::{method, rules_and_site};
pub use model::model_folder;
pub use picture::{open_picture, read_picture};
pub use precision::{Precision, UnknownPrecision};
pub use process::prepare_process;
pub use request::{NamedRules, Request};
pub use row::{Found, RowKind, Second};
pub use rules::{COMPARED, is_rules_file, preset_about, rules};
pub use table::{BadRows, ExplainedTable, TablePlan};
pub use threads::Threads;
