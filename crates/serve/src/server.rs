//! The server: a thread that listens, and the caller's thread, which explains.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread;

use relprop_api::NamedModel;
use relprop_engine::EngineError;
use tokio::sync::watch;

use crate::Options;
use crate::app::App;
use crate::connections;
use crate::metrics::Metrics;
use crate::queue::Queue;
use crate::worker::{self, Job};

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// There is no model to serve.
    #[error("there is no model to serve")]
    NoModel,
    /// Two models have one name.
    #[error("two models are called `{0}`")]
    SameName(String),
    /// The address cannot be listened at.
    #[error("{address} cannot be listened at: {source}")]
    Address {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// A model cannot be run at all.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The system does not let the server work.
    #[error("the server cannot go on: {0}")]
    System(#[from] io::Error),
}

/// A server that listens, and does not yet answer.
#[derive(Debug)]
pub struct Server {
    app: Arc<App>,
    listener: TcpListener,
    address: SocketAddr,
    stop: watch::Sender<bool>,
}

/// Ends a server from another thread.
#[derive(Clone, Debug)]
pub struct Stop(watch::Sender<bool>);

impl Stop {
    /// No more requests are taken. Those that are under way are answered.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

impl Server {
    /// Listens as `options` say, to answer about `models`, the first of which is meant where a request names
    /// none.
    ///
    /// # Errors
    ///
    /// [`ServeError`], if there is no model, two have one name, a model cannot be run, or the address cannot
    /// be listened at.
    pub fn bind(models: Vec<NamedModel>, options: Options) -> Result<Self, ServeError> {
        if models.is_empty() {
            return Err(ServeError::NoModel);
        }
        for (place, model) in models.iter().enumerate() {
            if models[..place].iter().any(|other| other.name == model.name) {
                return Err(ServeError::SameName(model.name.clone()));
            }
        }
        let described = relprop_api::described(&models)?;
        let address = SocketAddr::new(options.host, options.port);
        let listen = || -> io::Result<_> {
            let listener = TcpListener::bind(address)?;
            listener.set_nonblocking(true)?;
            let address = listener.local_addr()?;
            Ok((listener, address))
        };
        let (listener, address) =
            listen().map_err(|source| ServeError::Address { address, source })?;
        let app = Arc::new(App {
            queue: Queue::new(options.queue),
            metrics: Metrics::default(),
            connections: Arc::default(),
            described,
            models,
            options,
        });
        Ok(Self {
            app,
            listener,
            address,
            stop: watch::Sender::new(false),
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What ends it.
    pub fn stop(&self) -> Stop {
        Stop(self.stop.clone())
    }

    /// Answers requests until it is stopped, or the process is told to end (SIGINT, SIGTERM); a second signal
    /// ends the process at once. The calling thread explains, one batch after another. In a program that
    /// does nothing else, call [`relprop_engine::prepare_process`] on it before.
    ///
    /// # Errors
    ///
    /// [`ServeError::System`] if the system does not let the server work.
    pub fn run(self) -> Result<(), ServeError> {
        let Self {
            app,
            listener,
            stop,
            ..
        } = self;
        let listening = Arc::clone(&app);
        let thread = thread::Builder::new().name("relprop-http".to_owned());
        let thread = thread.spawn(move || -> io::Result<()> {
            // However this thread ends, the other must not wait for it.
            let closing = Closing(&listening.queue);
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .max_blocking_threads(4)
                .build()?;
            let served = runtime.block_on(async {
                tokio::spawn(signals(stop.clone()));
                let stopped = stop.subscribe();
                connections::serve(listener, Arc::clone(&listening), stopped).await
            });
            drop(closing);
            runtime.shutdown_background();
            served
        })?;
        let batch = app.options.batch;
        worker::run(&app.queue, &app.models, &app.metrics, batch);
        match thread.join() {
            Ok(served) => Ok(served?),
            Err(_) => Err(io::Error::other("the thread that listens was lost").into()),
        }
    }
}

/// Closes a queue when it is dropped.
struct Closing<'q>(&'q Queue<Job>);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// Stops at the first signal to end; the second ends the process.
async fn signals(stop: watch::Sender<bool>) {
    told_to_end().await;
    stop.send_replace(true);
    told_to_end().await;
    std::process::exit(1);
}

#[cfg(unix)]
async fn told_to_end() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        },
        Err(_) => drop(tokio::signal::ctrl_c().await),
    }
}

#[cfg(not(unix))]
async fn told_to_end() {
    let _ = tokio::signal::ctrl_c().await;
}
