#![doc = include_str!("../README.md")]

pub mod batching;
mod continuation;
mod describe;
mod error;
mod explainer;
mod explanation;
mod finite;
mod ledger;
mod ledger_plan;
pub mod methods;
mod numbers;
mod plan;
mod read;
mod run;
mod sampling;
mod target;
mod view;
mod words;

pub use continuation::{CONTINUATION, Continuation, End, Step};
pub use error::{ExplainError, PropagationPart};
pub use explainer::Explainer;
pub use explanation::*;
pub use finite::NotFinite;
pub use ledger::{Absorbed, Layer, Ledger};
pub use numbers::argmax;
pub use plan::{DEFAULT_RULES, DEFAULT_SITE, LRP, Plan};
pub use read::SiteRelevance;
pub use relprop_transformer::probability;
pub use sampling::{Sampler, Sampling, SamplingError};
pub use target::{Score, Target, UnknownTarget};
pub use view::View;
pub use words::words;
