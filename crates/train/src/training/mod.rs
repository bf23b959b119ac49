//! Training a classifier, or a language model, from nothing.

mod accuracy;
mod config;
mod error;
mod history;
mod loader;
mod pictures;
mod progress;
mod run;
mod step;

pub use accuracy::accuracy;
pub use config::{Architecture, Task, TrainConfig};
pub use error::TrainError;
pub use history::Epoch;
pub use pictures::train_pictures;
pub use run::{Display, Trained, train};
