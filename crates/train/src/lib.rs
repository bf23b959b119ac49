#![doc = include_str!("../README.md")]

mod accuracy;
mod checkpoints;
mod config;
mod error;
mod history;
mod loader;
mod pictures;
mod plan;
mod progress;
mod run;
mod schedule;
mod step;
mod texts;
pub mod vocabulary;

pub use accuracy::accuracy;
pub use config::{Architecture, Task, TrainConfig};
pub use error::TrainError;
pub use history::Epoch;
pub use pictures::train_pictures;
pub use run::{Display, Trained};
pub use texts::train;
