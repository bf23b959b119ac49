//! Arguments of `relprop serve`.

use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use relprop_serve::Options;

use super::{DeviceArgument, PrecisionArgument};

/// The port, if no other is asked for.
pub(crate) const PORT: u16 = 8765;

#[derive(Debug, Args)]
pub(crate) struct ServeArguments {
    /// The folder of a model, or its name on the Hugging Face Hub; give --model again for another model to
    /// compare with
    #[arg(long = "model", value_name = "MODEL", required = true)]
    pub(crate) models: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) serving: ServingArguments,
    #[command(flatten)]
    pub(crate) precision: PrecisionArgument,
    #[command(flatten)]
    pub(crate) device: DeviceArgument,
}

/// Where and how requests are served.
#[derive(Debug, Args)]
pub(crate) struct ServingArguments {
    /// The port; 0 takes any that is free
    #[arg(long, value_name = "PORT", default_value_t = PORT)]
    pub(crate) port: u16,
    /// The address to listen at; only this machine reaches the default. Nothing asks for a password: on another
    /// address, whoever reaches it may ask
    #[arg(long, value_name = "ADDRESS", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    pub(crate) host: IpAddr,
    /// Let pages of this origin ask as well, such as https://example.org
    #[arg(long, value_name = "ORIGIN")]
    pub(crate) cors: Option<String>,
    /// How many requests may wait for the model; one more is refused
    #[arg(long, value_name = "N", default_value = "64")]
    pub(crate) queue: NonZeroUsize,
    /// How many texts of requests that come together share a pass; 1 explains each request by itself
    #[arg(long, value_name = "N", default_value = "32")]
    pub(crate) batch: NonZeroUsize,
    /// How many seconds a request may take, the time that it waits included
    #[arg(long, value_name = "SECONDS", default_value = "60")]
    pub(crate) timeout: NonZeroUsize,
}

impl ServingArguments {
    pub(crate) fn options(&self) -> Options {
        Options {
            host: self.host,
            port: self.port,
            cors: self.cors.clone(),
            queue: self.queue.get(),
            batch: self.batch.get(),
            timeout: Duration::from_secs(self.timeout.get() as u64),
        }
    }
}
