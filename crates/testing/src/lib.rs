//! What the tests share: small models with random parameters, texts, fixtures, the program as a user
//! runs it, and how to compare what they give.

mod configs;
mod drawn;
mod explaining;
pub mod fixtures;
mod models;
mod numbers;
pub mod program;
mod words;

pub use configs::{ARCHITECTURES, Architecture, LanguageModel};
pub use drawn::{draw_config, draw_language_config};
pub use explaining::{
    Asked, explain_together, explainer, logits, method, propagation, relevance, shared,
};
pub use models::{filled, model, model_on, parameters, random};
pub use numbers::{Draw, alone, difference, numbers};
pub use words::{nine_words, texts, tokenizer};
