#![doc = include_str!("../README.md")]

mod answer;
mod ask;
mod compare;
mod connections;
mod describe;
mod fields;
mod metrics;
mod models;
mod openapi;
mod options;
mod queue;
mod refusal;
mod routes;
mod server;
mod similar;
mod worker;

pub use models::ServedModel;
pub use options::Options;
pub use server::{ServeError, Server, Stop};
