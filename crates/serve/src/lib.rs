#![doc = include_str!("../README.md")]

mod app;
mod connections;
mod metrics;
mod openapi;
mod options;
mod queue;
mod refusal;
mod routes;
mod server;
mod worker;

pub use options::Options;
pub use relprop_api::NamedModel;
pub use server::{ServeError, Server, Stop};
