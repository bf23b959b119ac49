//! Corpora and training for relprop.
//!
//! [`corpus`] reads labelled texts, and makes the embedded corpus of movie reviews; [`vocabulary`]
//! learns a WordPiece vocabulary; [`train`] trains a classifier.

pub mod corpus;
mod training;
pub mod vocabulary;

pub use training::*;
