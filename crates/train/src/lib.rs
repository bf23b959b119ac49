//! Corpora and training for relprop.
//!
//! [`vocabulary`] learns vocabularies; [`train`] trains a classifier, or a language model.

mod training;
pub mod vocabulary;

pub use training::*;
