//! What all requests share.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use axum::http::{HeaderMap, header};
use relprop_api::{BODY, BODY_WITH_PICTURES, NamedModel};
use serde_json::Value;

use crate::Options;
use crate::metrics::Metrics;
use crate::queue::Queue;
use crate::worker::Job;

/// What all requests share.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) models: Vec<NamedModel>,
    pub(crate) options: Options,
    /// The answer to `GET /api/model`.
    pub(crate) described: Value,
    pub(crate) queue: Queue<Job>,
    pub(crate) metrics: Metrics,
    /// How many are open.
    pub(crate) connections: Arc<AtomicUsize>,
}

impl App {
    /// How many bytes a body may have.
    pub(crate) fn body(&self) -> usize {
        match self.models.iter().any(NamedModel::reads_pictures) {
            true => BODY_WITH_PICTURES,
            false => BODY,
        }
    }

    /// Whether a request is meant for this server. On loopback, a page from elsewhere could have a name of
    /// its own lead here, and then read the answers; so only the names of loopback are answered to.
    pub(crate) fn is_host(&self, headers: &HeaderMap) -> bool {
        if !self.options.host.is_loopback() {
            return true;
        }
        let host = headers.get(header::HOST);
        let host = host.and_then(|host| host.to_str().ok()).unwrap_or_default();
        let name = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
            _ => host,
        };
        let address = name.trim_start_matches('[').trim_end_matches(']');
        let address = address.parse::<IpAddr>();
        name.eq_ignore_ascii_case("localhost") || address.is_ok_and(|one| one.is_loopback())
    }
}
