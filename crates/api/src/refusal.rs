//! Requests that are not answered as asked, and why.

use relprop_engine::EngineError;
use relprop_explain::ExplainError;

/// Why a request is not answered as asked: a status, and a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The status that HTTP has for it: 400 if the request asks for what cannot be done, 500 if the model or its
    /// device failed.
    pub status: u16,
    /// The sentence.
    pub message: String,
}

impl Refusal {
    /// The request asks for what cannot be done.
    pub fn bad(message: impl Into<String>) -> Self {
        Self {
            status: 400,
            message: message.into(),
        }
    }
}

impl From<EngineError> for Refusal {
    fn from(error: EngineError) -> Self {
        let failed = matches!(
            error,
            EngineError::Fault(_)
                | EngineError::Threads(_)
                | EngineError::Explain(ExplainError::Device(_))
        );
        Self {
            status: if failed { 500 } else { 400 },
            message: error.to_string(),
        }
    }
}
