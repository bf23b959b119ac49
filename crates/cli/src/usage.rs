//! Errors of the command line, and what the user can change in it.

use std::fmt;

use relprop_engine::EngineError;
use relprop_explain::{ExplainError, PropagationPart};

use crate::way_out::told;

/// The command asks for something that does not exist; the message says what exists.
#[derive(Debug)]
pub(crate) struct UsageError(String);

impl UsageError {
    /// Marks `error` as one of usage.
    pub(crate) fn new(error: impl fmt::Display) -> Self {
        Self(error.to_string())
    }

    /// Refuses arguments that exclude each other.
    pub(crate) fn refuse<T>(message: impl fmt::Display) -> anyhow::Result<T> {
        Err(Self::new(message).into())
    }
}

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for UsageError {}

impl From<ExplainError> for UsageError {
    fn from(error: ExplainError) -> Self {
        match error {
            ExplainError::OnlyPropagation { part, method } => Self::new(format_args!(
                "{} goes with --method lrp{} alone, not with `{method}`",
                option(part),
                match part.is_target() {
                    true => " and --method decomposition",
                    false => "",
                }
            )),
            ExplainError::RulesAsMethod(name) => Self::new(format_args!(
                "`{name}` is a rule set: give it as --rules {name}"
            )),
            ExplainError::Recompute => Self::new(
                "--recompute goes with relevance that is read at `blocks`, and without --ledger",
            ),
            ExplainError::UnknownMethod { .. } => Self::new(format_args!(
                "{error}; rules are given as --rules: a preset, or a file that ends in .toml"
            )),
            ExplainError::NoEntailment { .. } => {
                Self::new(format_args!("{error}; give --target LABEL"))
            }
            ExplainError::Rules(error) => Self::new(told(&error)),
            error => Self::new(error),
        }
    }
}

impl From<EngineError> for UsageError {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Explain(error) => error.into(),
            EngineError::DeviceNotCompiledIn { .. } => Self::new(format_args!(
                "{error}, or see `relprop devices` for those that are"
            )),
            EngineError::DeviceNotFound { .. } => Self::new(format_args!("{error} (--device cpu)")),
            EngineError::Precision { .. } => Self::new(format_args!(
                "{error}; leave out --dtype, or give another --device"
            )),
            EngineError::Apart { one, other } => {
                Self::new(format_args!("--{one} does not go with --{other}"))
            }
            EngineError::Vector => Self::new(format_args!(
                "{error}: `relprop similar` says why two texts are alike"
            )),
            error => Self::new(error),
        }
    }
}

/// The option that asks for it.
fn option(part: PropagationPart) -> &'static str {
    match part {
        PropagationPart::Rules => "--rules",
        PropagationPart::Site => "--at",
        PropagationPart::Ledger => "--ledger",
        PropagationPart::Hops => "--hops",
        PropagationPart::Recompute => "--recompute",
        PropagationPart::Head => "the model",
        PropagationPart::Contrast => "--target A-B",
        PropagationPart::Score => "--score",
    }
}
