//! Training a classifier from nothing.

mod accuracy;
mod config;
mod error;
mod history;
mod loader;
mod progress;
mod run;
mod step;

pub use accuracy::accuracy;
pub use config::{Architecture, TrainConfig};
pub use error::TrainError;
pub use history::Epoch;
pub use run::{Display, Trained, train};
