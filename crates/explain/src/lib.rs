//! Explanations of Transformers: relevance per token, and how to show it.

mod account;
mod continuation;
pub mod evaluate;
mod explainer;
mod explanation;
mod ledger;
pub mod methods;
pub mod render;
mod runs;
mod sampling;
mod target;
pub mod tune;

pub use continuation::{CONTINUATION, Continuation, Step};
pub use explainer::{DEFAULT_SITE, ExplainError, Explainer};
pub use explanation::*;
pub use ledger::{Absorbed, Layer, Ledger};
pub use sampling::{Sampler, Sampling, SamplingError};
pub use target::{Score, Target, UnknownTarget};
