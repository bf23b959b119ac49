#![doc = include_str!("../docs/library.md")]

pub use relprop_checkpoints as checkpoints;
pub use relprop_data as data;
pub use relprop_engine as engine;
pub use relprop_evaluate as evaluate;
pub use relprop_explain as explain;
pub use relprop_render as render;
pub use relprop_rules as rules;
pub use relprop_train as train;
pub use relprop_transformer as transformer;

pub use relprop_checkpoints::{CheckpointError, Model, Truncation};
pub use relprop_engine::{EngineError, Precision, Threads, device, prepare_process};
pub use relprop_explain::{
    Continuation, ExplainError, Explainer, Explanation, Ledger, Plan, Sampling, Score,
    SiteRelevance, Target,
};
pub use relprop_rules::{Registry, RuleError, RuleSet};
