//! Connections: how many there may be, how long they may be silent, and how they end.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use crate::app::App;
use crate::options;
use crate::routes::router;

/// How many connections are told at once that there are too many; others are closed without a word.
const TOLD: usize = 64;
/// How long a connection is told so.
const TELLING: Duration = Duration::from_secs(1);

/// Counts something while it lives.
struct Counted(Arc<AtomicUsize>);

impl Counted {
    /// None if there are `most` already.
    fn one_of(counter: &Arc<AtomicUsize>, most: usize) -> Option<Self> {
        let more = |count: usize| (count < most).then_some(count + 1);
        let counted = counter.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
        counted.ok().map(|_| Self(Arc::clone(counter)))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Serves what comes, until `stop` is true; then what is under way may end.
pub(crate) async fn serve(
    listener: std::net::TcpListener,
    app: Arc<App>,
    mut stop: watch::Receiver<bool>,
) -> io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    let service = TowerToHyperService::new(router(Arc::clone(&app)));
    let graceful = GracefulShutdown::new();
    let told = Arc::new(AtomicUsize::new(0));
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(_) => {
                    // The process has as many files open as it may, or the other side has gone.
                    sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
            _ = stop.wait_for(|stop| *stop) => break,
        };
        let Some(counted) = Counted::one_of(&app.connections, options::CONNECTIONS) else {
            if let Some(counted) = Counted::one_of(&told, TOLD) {
                tokio::spawn(async move {
                    let _ = timeout(TELLING, refuse(stream)).await;
                    drop(counted);
                });
            }
            continue;
        };
        // An answer is written at once: nothing is gained by waiting for more.
        let _ = stream.set_nodelay(true);
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(options::ARRIVAL)
            .serve_connection(TokioIo::new(stream), service.clone());
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            // A connection that breaks off harms nobody else.
            let _ = connection.await;
            drop(counted);
        });
    }
    drop(listener);
    let _ = timeout(options::FAREWELL, graceful.shutdown()).await;
    Ok(())
}

/// Says that there are too many connections.
async fn refuse(mut stream: TcpStream) -> io::Result<()> {
    let body = "{\"error\":\"too many connections are open: try again\"}\n";
    let answer = format!(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\nretry-after: 1\r\n\
         connection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await?;
    // What the other side has sent is read, else it may lose the answer.
    let mut read = [0; 1024];
    while stream.read(&mut read).await? > 0 {}
    Ok(())
}
