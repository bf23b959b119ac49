#![doc = include_str!("../README.md")]

mod answer;
mod app;
mod ask;
mod compare;
mod connections;
mod describe;
mod fields;
mod fragment;
mod metrics;
mod models;
mod openapi;
mod options;
mod question;
mod queue;
mod refusal;
mod routes;
mod server;
mod similar;
mod worker;

pub use models::ServedModel;
pub use options::Options;
pub use server::{ServeError, Server, Stop};
