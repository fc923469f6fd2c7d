//! Running the server: listen, answer, end in order.
//!
//! Owns the runtime, the signals and the order of the end: no new connections, streams of events closed, answers
//! that are owed given within the time of grace.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::live::Watch;
use crate::router::router;
use crate::settings::{ServerError, ServerSettings};
use crate::state::{Server, Shared};

/// Serves until the process is told to end (interrupt or terminate). `ready` gets the address once it listens.
///
/// # Errors
/// [`ServerError`].
pub fn serve(settings: ServerSettings, ready: &dyn Fn(SocketAddr)) -> Result<(), ServerError> {
    let (_keep, never) = oneshot::channel();
    serve_until(settings, ready, never)
}

/// The same, ending also when `stop` is sent.
///
/// # Errors
/// [`ServerError`].
pub fn serve_until(
    settings: ServerSettings,
    ready: &dyn Fn(SocketAddr),
    stop: oneshot::Receiver<()>,
) -> Result<(), ServerError> {
    let grace = settings.limits.shutdown_grace;
    let address = settings.listen;
    let server = Shared::open(settings)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let result = runtime.block_on(async {
        let listener =
            TcpListener::bind(address).await.map_err(|problem| ServerError::Listen { address, problem })?;
        let watch = Watch::begin(Arc::clone(&server))?;
        ready(listener.local_addr()?);
        let end = end_of(Arc::clone(&server), stop);
        let answered = answer(listener, Arc::clone(&server), end, grace).await;
        drop(watch);
        answered
    });
    // Blocking work that is still in a store gets the grace too; its transaction ends with its connection.
    runtime.shutdown_timeout(grace);
    result
}

async fn answer(
    listener: TcpListener,
    server: Server,
    end: impl Future<Output = ()> + Send + 'static,
    grace: Duration,
) -> Result<(), ServerError> {
    let mut ending = server.ending.subscribe();
    let app = router(Arc::clone(&server));
    let serving = axum::serve(listener, app).with_graceful_shutdown(end);
    let out_of_time = async {
        // The sender lives as long as the server, so this only returns once it is ending.
        if ending.wait_for(|ending| *ending).await.is_ok() {
            tokio::time::sleep(grace).await;
        }
    };
    tokio::select! {
        served = serving => Ok(served?),
        () = out_of_time => Ok(()),
    }
}

/// Returns when the process is told to end, having told the streams of events.
async fn end_of(server: Server, stop: oneshot::Receiver<()>) {
    tokio::select! {
        () = signal() => {}
        Ok(()) = stop => {}
    }
    tracing::info!("ending");
    server.ending.send_replace(true);
}

/// Returns on interrupt and on terminate.
async fn signal() {
    let interrupted = async {
        // Without a signal handler the process simply ends on the signal, which is safe too.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    let terminated = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => drop(signal.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        () = interrupted => {}
        () = terminated => {}
    }
}
