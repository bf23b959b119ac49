//! Requests that are not answered as asked, and why.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use relprop_engine::EngineError;
use serde_json::json;

/// Why a request is not answered as asked: a status, and a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) message: String,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { status, message }
    }

    /// As many requests wait as may.
    pub(crate) fn busy(waiting: usize) -> Self {
        let message = format!("{waiting} requests wait for the model, and no more may: try again");
        Self::new(StatusCode::SERVICE_UNAVAILABLE, message)
    }

    /// The server is ending.
    pub(crate) fn ending() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "the server is ending")
    }
}

impl From<relprop_api::Refusal> for Refusal {
    fn from(refusal: relprop_api::Refusal) -> Self {
        let status = StatusCode::from_u16(refusal.status);
        let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self::new(status, refusal.message)
    }
}

impl From<EngineError> for Refusal {
    fn from(error: EngineError) -> Self {
        relprop_api::Refusal::from(error).into()
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = json!({"error": self.message}).to_string() + "\n";
        let kind = HeaderValue::from_static("application/json");
        let mut response = (self.status, [(header::CONTENT_TYPE, kind)], body).into_response();
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            let later = HeaderValue::from_static("1");
            response.headers_mut().insert(header::RETRY_AFTER, later);
        }
        response
    }
}
