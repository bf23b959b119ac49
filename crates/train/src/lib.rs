//! Corpora and training for relprop.
//!
//! [`corpus`] reads labelled texts, and makes the embedded corpus of movie reviews; [`vocabulary`]
//! learns vocabularies; [`train`] trains a classifier, or a language model.

pub mod corpus;
mod training;
pub mod vocabulary;

pub use training::*;
