//! Explanations of Transformers: relevance per token, and how to show it.

mod explainer;
mod explanation;
pub mod render;
mod target;

pub use explainer::{DEFAULT_SITE, ExplainError, Explainer};
pub use explanation::*;
pub use target::{Target, UnknownTarget};
