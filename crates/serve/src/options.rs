//! What whoever starts the server may choose, and the limits that hold for every connection.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

/// Where and how requests are served.
#[derive(Clone, Debug)]
pub struct Options {
    /// The address of the machine that is listened at. The default is loopback, which no other machine
    /// reaches.
    pub host: IpAddr,
    /// The port; 0 for any that is free.
    pub port: u16,
    /// The one origin whose pages may ask besides the server's own, such as `https://example.org`.
    pub cors: Option<String>,
    /// How many requests may wait for the model. One more is refused.
    pub queue: usize,
    /// How many texts share a forward pass at most; with 1 every request is explained by itself.
    pub batch: usize,
    /// How long a request may take, the time that it waits included.
    pub timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            host: Ipv4Addr::LOCALHOST.into(),
            port: 8765,
            cors: None,
            queue: 64,
            batch: 32,
            timeout: Duration::from_secs(60),
        }
    }
}

/// How long the body of a request may take to arrive, and how long a connection may wait for a request.
pub(crate) const ARRIVAL: Duration = Duration::from_secs(10);
/// How many connections may be open at once.
pub(crate) const CONNECTIONS: usize = 512;
/// How long requests that are under way may still take when the server is told to end.
pub(crate) const FAREWELL: Duration = Duration::from_secs(10);
