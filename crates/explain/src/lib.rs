//! Explanations of Transformers: relevance per token, and how to show it.

mod account;
mod continuation;
mod explainer;
mod explanation;
mod ledger;
pub mod methods;
pub mod runs;
mod sampling;
mod target;
mod view;

pub use continuation::{CONTINUATION, Continuation, Step};
pub use explainer::{DEFAULT_SITE, ExplainError, Explainer, words};
pub use explanation::*;
pub use ledger::{Absorbed, Layer, Ledger};
pub use sampling::{Sampler, Sampling, SamplingError};
pub use target::{Score, Target, UnknownTarget, argmax};
pub use view::View;
